//! The guide: each page is in the documentation, and its plots are those of today.

mod support;

use std::fs;

/// What the example draws.
fn plot(arguments: &str) -> String {
    let output = support::example("plots").args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_plot_of_the_costs_has_the_figures_of_the_readme() {
    callhome::assert_page_current!("docs/guide/threads.svg", plot("threads"));
}

#[test]
fn the_plot_of_the_accuracy_is_of_this_code() {
    callhome::assert_page_current!("docs/guide/accuracy.svg", plot("accuracy"));
}

/// The points of each line of a plot, in the plot's pixels.
fn lines(svg: &str) -> Vec<Vec<(f64, f64)>> {
    let points = svg.split(" points=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let number = |text: &str| text.parse::<f64>().unwrap();
    let point = |(x, y): (&str, &str)| (number(x), number(y));
    points
        .map(|line| line.split(' ').map(|at| point(at.split_once(',').unwrap())).collect())
        .collect()
}

/// How far what is not accepted and what is accepted are apart at most in two plots of fleets, in the
/// deviations that chance gives where so many arrive on average between two points.
fn apart(one: &str, other: &str, arrivals: f64) -> [f64; 2] {
    let (one, other) = (lines(one), lines(other));
    let (mean, bottom) = (one[0][0].1, one[2].iter().fold(0.0, |most: f64, (_, y)| most.max(*y)));
    assert_eq!((one.len(), &one[0]), (3, &other[0]), "the mean");
    [1, 2].map(|line| {
        assert_eq!(one[line].len(), other[line].len());
        let points = one[line].iter().zip(&other[line]).map(|((x, y), (other_x, other_y))| {
            assert_eq!(x, other_x);
            let [here, there] = [y, other_y].map(|y| (bottom - y) / (bottom - mean) * arrivals);
            (here - there).abs() / here.max(there).max(1.0).sqrt()
        });
        points.fold(0.0, f64::max)
    })
}

/// A small fleet, for a million take minutes. What it has accepted is the same in each run. What was
/// not is drawn at random, and comes in bursts: an installation tries again within minutes.
#[test]
fn the_plot_of_the_arrivals_is_that_of_a_fleet() {
    let committed = fs::read_to_string("docs/guide/arrivals.svg").unwrap();
    let small = plot("arrivals 2400");
    let [refused, accepted] = apart(&committed, &small, 2400.0 / 48.0);
    assert!(accepted < 4.0 && refused < 8.0, "{accepted} and {refused} deviations");
    let peaks: Vec<f64> = committed
        .split(">minute ")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().parse().unwrap())
        .collect();
    assert!(peaks.len() == 3 && peaks.iter().all(|peak| *peak < 1.1), "{peaks:?}");
    let highest = format!("{:.2} times the mean", peaks.iter().copied().fold(0.0, f64::max));
    assert!(fs::read_to_string("docs/guide/windows.md").unwrap().contains(&highest), "{highest}");
}

/// What is accepted is the same in each run, to the pixel, and so are the peaks; what is not comes
/// after waits that are drawn at random.
#[test]
#[ignore = "lives a million aggregators"]
fn the_plot_of_the_arrivals_is_that_of_a_million() {
    let committed = fs::read_to_string("docs/guide/arrivals.svg").unwrap();
    let now = plot("arrivals 1000000");
    let ours = |svg: &str| {
        let is_refused = |line: &&str| line.starts_with("<polyline") && line.contains("#d9730d");
        svg.lines().filter(|line| !is_refused(line)).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(ours(&committed), ours(&now));
    let [refused, _] = apart(&committed, &now, 1e6 / 48.0);
    assert!(refused < 15.0, "{refused} deviations");
}

#[test]
fn every_page_is_in_the_documentation_and_a_plot_is_no_markup_but_its_own() {
    let guide = fs::read_to_string("src/guide.rs").unwrap();
    for file in fs::read_dir("docs/guide").unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(guide.contains(&format!("include_str!(\"../docs/guide/{name}\")")), "{name}");
        let text = fs::read_to_string(format!("docs/guide/{name}")).unwrap();
        if let Some(page) = name.strip_suffix(".md") {
            assert!(text.starts_with("# "), "{name} has no title");
            assert!(guide.contains(&format!("| [`{page}`] |")), "{name} is not in the table");
        } else {
            // An empty line ends what Markdown takes for HTML.
            assert!(!text.contains("\n\n") && text.starts_with("<svg "), "{name}");
            assert!(text.contains("prefers-color-scheme: dark"), "{name}");
        }
    }
}

//! The guide: each page is in the documentation, and its plots are those of today.

mod support;

use std::fs;

/// What the example draws.
fn plot(name: &str) -> String {
    let output = support::example("plots").arg(name).output().unwrap();
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

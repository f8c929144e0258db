//! The table of README.md: what recording costs on one thread and on two.

use std::error::Error;

use super::svg::{Axis, Line, Plot, Scale};

/// The rows that are drawn, in the words of the table and of the plot.
const ROWS: [(&str, &str); 3] = [
    ("counter, kept handle", "handle"),
    ("`counter!(\"x\").increment(1)`", "counter!"),
    ("`histogram!(\"x\").record(v)`", "histogram!"),
];

pub(crate) fn plot(readme: &str) -> Result<String, Box<dyn Error>> {
    let table = readme.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let table: Vec<Vec<&str>> = table.map(|row| row.split('|').map(str::trim).collect()).collect();
    let heads = table.iter().find(|row| row.get(1) == Some(&"callhome")).ok_or("no table")?;
    let mut lines = Vec::new();
    for (row, name) in ROWS {
        let row = table.iter().find(|cells| cells[0] == row).ok_or(row)?;
        for (library, cell) in heads.iter().zip(row).take(4).skip(1) {
            let (one, two) = cell.split_once(" / ").ok_or(*cell)?;
            let colour = heads.iter().position(|head| head == library).unwrap_or(1) - 1;
            lines.push(Line {
                name: format!("{library}, {name}"),
                points: vec![(1.0, one.parse()?), (2.0, two.parse()?)],
                colour,
                is_dashed: name == "handle",
            });
        }
    }
    let mark = |at: f64| (at, format!("{at}"));
    let plot = Plot {
        title: "Cost of recording on one thread and on two, for three libraries",
        x: Axis {
            name: "threads that record to the same metric",
            scale: Scale::Logarithmic,
            from: 1.0,
            to: 2.0,
            marks: [1.0, 2.0].map(mark).to_vec(),
        },
        y: Axis {
            name: "atomic additions",
            scale: Scale::Logarithmic,
            from: 0.3,
            to: 100.0,
            marks: [0.3, 1.0, 3.0, 10.0, 30.0, 100.0].map(mark).to_vec(),
        },
        lines,
        parts: Vec::new(),
    };
    Ok(plot.svg()?)
}

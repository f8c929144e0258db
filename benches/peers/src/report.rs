//! The table for people, and the lines for programs.

use serde_json::{Map, Value, json};

use crate::reading::{Reading, median, minimum};

/// Prints one JSON object a line: the median of each figure under its name, and under `minimum`
/// the least of the first; for a ratio, the ratio of the least cost to the least reference.
pub fn print_json(readings: &[Reading]) {
    for reading in readings {
        let mut line = Map::new();
        line.insert("path".into(), json!(reading.path));
        line.insert("library".into(), json!(reading.library));
        line.insert("shape".into(), json!(reading.shape));
        line.insert("threads".into(), json!(reading.threads));
        for (name, values) in &reading.figures {
            line.insert(name.clone(), json!(round(median(values))));
        }
        if let Some((_, values)) = reading.figures.first() {
            let least = reading.least_ratio().unwrap_or_else(|| minimum(values));
            line.insert("minimum".into(), json!(round(least)));
        }
        if reading.disturbed {
            line.insert("disturbed".into(), json!(true));
        }
        if is_cost(reading) {
            line.insert("slices".into(), json!(reading.values("ns").len()));
        }
        println!("{}", Value::Object(line));
    }
}

/// Prints the costs of operations, one row for each library, and then the rest.
pub fn print_table(readings: &[Reading]) {
    let (costs, rest): (Vec<_>, Vec<_>) = readings.iter().partition(|reading| is_cost(reading));
    if !costs.is_empty() {
        println!("ns: nanoseconds per operation on each thread, the median of all slices");
        println!("ratio: to one uncontended relaxed atomic addition right before, the median");
        println!("least: the least cost to the least reference");
        println!("*: another program had the processor in every slice; measure again\n");
        println!("{:34}{:^27}  {:^27}", "", "1 thread", "2 threads");
        let columns = format!("{:>9}{:>9}{:>8} ", "ns", "ratio", "least");
        println!("{:34}{columns}  {columns}", "");
    }
    let mut heading = String::new();
    for reading in costs.iter().filter(|reading| reading.threads == 1) {
        title(&mut heading, reading);
        let two = Reading { threads: 2, ..(*reading).clone() };
        let two = costs.iter().find(|other| other.same(&two));
        let two = two.map(|two| columns(two)).unwrap_or_default();
        let more: String = figures(reading).map(|figure| format!("  {figure}")).collect();
        println!("  {:<32}{}  {two}{more}", reading.library, columns(reading));
    }
    for reading in rest {
        title(&mut heading, reading);
        let figures: Vec<String> = figures(reading).collect();
        let mark = if reading.disturbed { "*" } else { "" };
        println!("  {:<32}{}{mark}", reading.library, figures.join(", "));
    }
}

/// Whether the reading has a cost beside the reference.
fn is_cost(reading: &Reading) -> bool {
    !reading.values("reference_ns").is_empty()
}

/// Prints path and shape when they are not those of the row before.
fn title(heading: &mut String, reading: &Reading) {
    let own = match reading.shape.as_str() {
        "one" => reading.path.clone(),
        shape => format!("{}, {shape}", reading.path),
    };
    if *heading != own {
        println!("{own}");
        *heading = own;
    }
}

fn columns(reading: &Reading) -> String {
    format!(
        "{:>9.2}{:>9.2}{:>8.2}{}",
        median(reading.values("ns")),
        median(reading.values("ratio")),
        reading.least_ratio().unwrap_or(f64::NAN),
        if reading.disturbed { '*' } else { ' ' },
    )
}

/// The figures that have no column, in words: the median, and the least value if it is another.
fn figures(reading: &Reading) -> impl Iterator<Item = String> {
    let in_columns: &[&str] = if is_cost(reading) { &["ratio", "ns", "reference_ns"] } else { &[] };
    let figures = reading.figures.iter().filter(|(name, _)| !in_columns.contains(&&**name));
    figures.map(|(name, values)| {
        let (median, least) = (round(median(values)), round(minimum(values)));
        if median == least {
            format!("{name} {median}")
        } else {
            format!("{name} {median} (least {least})")
        }
    })
}

/// Four significant digits: no measurement here has more.
fn round(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

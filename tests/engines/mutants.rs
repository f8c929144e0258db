//! Lines that look like reports and are none.

use jsonschema::Validator;
use serde_json::{Value, json};

use super::world::{self, Random, schema};
use callhome::sink::MemorySink;
use callhome::{CallHome, Schema};

/// How many of each sort.
const EACH: usize = 1500;

/// The report's id.
pub(crate) fn id(line: &str) -> String {
    line.split('"').nth(3).unwrap().to_owned()
}

fn new_id() -> Value {
    uuid::Uuid::new_v4().to_string().into()
}

/// What no table may take, under ids that are not known.
pub(crate) fn of(lines: &[String]) -> Vec<String> {
    let contract = world::builder("1.0").to_json_schema().unwrap();
    let contract: Value = serde_json::from_str(&contract).unwrap();
    let valid = jsonschema::options().should_validate_formats(true).build(&contract).unwrap();
    let mut random = Random(11);
    let mut mutants = Vec::new();
    for sort in [cut, more, less, absurd, other] {
        let mut made = 0;
        while made < EACH {
            let at = random.below(lines.len() as u64) as usize;
            let mut report: Value = serde_json::from_str(&lines[at]).unwrap();
            report["report_id"] = new_id();
            if let Some(line) = sort(report, &mut random).filter(|line| !is_valid(&valid, line)) {
                mutants.push(line);
                made += 1;
            }
        }
    }
    // JSON Schema knows no numbers of 64 bits and does not compare members. And what is nearly
    // registers.
    for (at, line) in lines.iter().enumerate().take(EACH) {
        let mut report: Value = serde_json::from_str(line).unwrap();
        report["report_id"] = new_id();
        let usage = &mut report["data"]["usage"];
        let united = &mut usage["united"]["registers"];
        match at % 11 {
            0 => usage["orders"] = serde_json::from_str("18446744073709551616").unwrap(),
            1 => usage["orders"] = json!(1e30),
            2 => usage["basket"]["min"] = json!(f64::MAX),
            3 => usage["basket"]["mean"] = json!(-1e300),
            4 => *united = json!([[16_384, 1]]),
            5 => *united = json!([[0, 52]]),
            6 => *united = json!([[1, 1, 1]]),
            7 => *united = (0..1025).map(|index| json!([index, 1])).collect(),
            8 => *united = "0".repeat(16_384).into(),
            9 => *united = "A".repeat(16_385).into(),
            _ => usage["times"][0]["count"] = json!(3e19),
        }
        mutants.push(report.to_string());
    }
    mutants.extend(of_other_versions());
    let broken =
        ["", "null", "[]", "{}", "7", "\"", "{\"report_id\":", "\u{feff}{}", "[1,2", "truefalse"];
    mutants.extend(broken.iter().cycle().take(100).map(|line| (*line).to_owned()));
    mutants
}

fn is_valid(valid: &Validator, line: &str) -> bool {
    serde_json::from_str(line).is_ok_and(|report: Value| valid.is_valid(&report))
}

/// Real reports of an older and of a newer schema.
fn of_other_versions() -> Vec<String> {
    let schemas = [
        schema("0.9").version(1),
        schema("2.0").version(3).counter("novelty"),
        schema("1.0").counter("unannounced"),
        Schema::new("another").version(2).counter("orders"),
    ];
    let mut lines = Vec::new();
    for schema in schemas {
        let sink = MemorySink::new();
        let builder = CallHome::builder(schema).sink(sink.clone()).opt_out();
        let callhome = builder.build().unwrap();
        for _ in 0..EACH / 4 {
            metrics::with_local_recorder(callhome.recorder(), || {
                metrics::counter!("usage.orders").increment(1_000_000);
            });
            callhome.flush().unwrap();
        }
        let bodies = sink.bodies();
        lines.extend(bodies.iter().map(|body| String::from_utf8(body.to_vec()).unwrap()));
    }
    lines
}

/// Other numbers under the ids of reports that are there.
pub(crate) fn forged(lines: &[String]) -> Vec<String> {
    let forge = |line: &String| {
        let mut report: Value = serde_json::from_str(line).unwrap();
        report["data"]["usage"]["orders"] = json!(1_000_000_000_000u64);
        report["merged"] = json!([]);
        report.to_string()
    };
    lines.iter().take(1000).map(forge).collect()
}

type Path = Vec<String>;

/// The objects and the other values in a report, by their pointers.
fn parts(value: &Value, path: &str, objects: &mut Path, values: &mut Path) {
    match value {
        Value::Object(members) => {
            objects.push(path.to_owned());
            members.iter().for_each(|(name, value)| {
                parts(value, &format!("{path}/{}", name.replace('/', "~1")), objects, values);
            });
        }
        Value::Array(items) => {
            values.push(path.to_owned());
            let items = items.iter().enumerate();
            items.for_each(|(at, value)| parts(value, &format!("{path}/{at}"), objects, values));
        }
        _ => values.push(path.to_owned()),
    }
}

fn any<'a>(texts: &'a [String], random: &mut Random) -> &'a str {
    &texts[random.below(texts.len() as u64) as usize]
}

fn split(report: &Value) -> (Path, Path) {
    let (mut objects, mut values) = (Vec::new(), Vec::new());
    parts(report, "", &mut objects, &mut values);
    (objects, values)
}

/// The beginning of a report.
fn cut(report: Value, random: &mut Random) -> Option<String> {
    let text = report.to_string();
    let end = random.below(text.len() as u64) as usize;
    text.get(..end).map(str::to_owned)
}

/// A member that nobody has declared.
fn more(mut report: Value, random: &mut Random) -> Option<String> {
    let (objects, _) = split(&report);
    let object = report.pointer_mut(any(&objects, random))?.as_object_mut()?;
    object.insert("email".to_owned(), "someone@example.com".into());
    Some(report.to_string())
}

/// A member that is missing.
fn less(mut report: Value, random: &mut Random) -> Option<String> {
    let (objects, _) = split(&report);
    let object = report.pointer_mut(any(&objects, random))?.as_object_mut()?;
    let names: Path = object.keys().cloned().collect();
    if names.is_empty() {
        return None;
    }
    object.remove(any(&names, random));
    Some(report.to_string())
}

/// A value that is none.
fn absurd(mut report: Value, random: &mut Random) -> Option<String> {
    const ABSURD: [&str; 16] = [
        "-1",
        "-0.5",
        "1.5",
        "1e300",
        "-1e300",
        "1e999",
        "NaN",
        "\"12\"",
        "\"now\"",
        "\"infinity\"",
        "null",
        "true",
        "[]",
        "{}",
        "[[1]]",
        "\"\\u0000\"",
    ];
    const MARK: &str = "a mark that is nowhere";
    let (_, values) = split(&report);
    *report.pointer_mut(any(&values, random))? = MARK.into();
    let absurd = ABSURD[random.below(16) as usize];
    Some(report.to_string().replace(&format!("\"{MARK}\""), absurd))
}

/// A value from elsewhere in the report, or a very long one.
fn other(mut report: Value, random: &mut Random) -> Option<String> {
    let (objects, values) = split(&report);
    let all: Path =
        values.iter().chain(&objects).filter(|path| !path.is_empty()).cloned().collect();
    let value = match random.below(4) {
        0 => Value::from("é".repeat(300)),
        _ => report.pointer(any(&all, random))?.clone(),
    };
    *report.pointer_mut(any(&all, random))? = value;
    Some(report.to_string())
}

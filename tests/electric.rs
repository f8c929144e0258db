//! The example `electric`, run as its user runs it.
#![cfg(feature = "http")]

mod support;

use std::process::Output;

use serde_json::Value;

/// Runs the example.
fn electric(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = support::example("electric");
    command.args(arguments).env_remove("ELECTRIC_TELEMETRY");
    command.envs(variables.iter().copied()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// All keys of a document, in the order in which they stand.
fn keys(document: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = document.split('"').collect();
    parts.push("");
    let key = |at: &usize| parts[at + 1].trim_start().starts_with(':');
    (1..parts.len() - 1).step_by(2).filter(key).map(|at| parts[at]).collect()
}

/// The same document with each number as a float, so that 0 equals 0.0.
fn by_value(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.iter().map(by_value).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), by_value(value))).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn the_sample_equals_the_one_on_electrics_page() {
    // It opens no connection, so the switch does not concern it.
    let printed = stdout(&electric(&["--print", "electric"], &[("DO_NOT_TRACK", "1")]));
    let page = include_str!("payloads/electric.json");
    assert_eq!(keys(&printed), keys(page));
    assert_eq!(printed.lines().count(), 1);
    let parsed = |text| by_value(&serde_json::from_str(text).unwrap());
    assert_eq!(parsed(&printed), parsed(page));
}

#[test]
fn the_report_arrives_over_http_with_the_numbers_that_were_recorded() {
    let printed = stdout(&electric(&[], &[]));
    assert!(printed.starts_with("telemetry: on (default)\n"), "{printed}");
    let report = printed.lines().find(|line| line.starts_with('{')).unwrap();
    assert_eq!(keys(report), keys(include_str!("payloads/electric.json")));
    let report: Value = serde_json::from_str(report).unwrap();
    let usage = &report["usage"];
    assert_eq!(usage["operations_from_pg"], 4000);
    assert_eq!(usage["distinct_clients"], 4);
    let rows = serde_json::json!({"max": 999, "mean": 499.5, "median": 499.5, "min": 0, "mode": 0});
    assert_eq!(usage["subscriptions_rows_per_shape"], rows);
    assert_eq!(usage["electrified_tables"], 7);
    let peak = usage["concurrent_clients"]["max"].as_f64().unwrap();
    assert!((1.0..=4.0).contains(&peak), "{peak}");
    assert!(printed.contains("last window: 1 accepted, 0 lost"), "{printed}");
}

#[test]
fn the_page_is_current() {
    let printed = stdout(&electric(&["--print", "page"], &[("DO_NOT_TRACK", "1")]));
    callhome::assert_page_current!("examples/electric/TELEMETRY.md", printed);
}

#[test]
fn receivers_can_read_the_reports() {
    let contract = stdout(&electric(&["--print", "schema"], &[("DO_NOT_TRACK", "1")]));
    callhome::assert_schema_compatible!("examples/electric/schema.json", contract);
    let valid = jsonschema::validator_for(&serde_json::from_str(&contract).unwrap()).unwrap();
    let sample = stdout(&electric(&["--print", "electric"], &[]));
    let sent = stdout(&electric(&[], &[]));
    let sent = sent.lines().find(|line| line.starts_with('{')).unwrap();
    for report in [&*sample, sent, include_str!("payloads/electric.json")] {
        let report: Value = serde_json::from_str(report).unwrap();
        valid.validate(&report).unwrap();
    }
}

#[test]
fn an_argument_it_does_not_know_is_an_error() {
    let output = electric(&["--print", "nothing"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing"));
}

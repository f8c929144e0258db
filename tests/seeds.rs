//! The examples that are products' telemetry, run as their users run them: each prints the sample of
//! its product's page, and each sends what it records.
#![cfg(all(feature = "http", feature = "host"))]

mod support;

use std::process::Output;

use serde_json::{Value, json};

/// The examples and the samples that they print, which are the files of `tests/payloads`.
const SAMPLES: [(&str, &str, &str); 11] = [
    ("electric", "electric", include_str!("payloads/electric.json")),
    ("hasura", "hasura_server", include_str!("payloads/hasura_server.json")),
    ("hasura", "hasura_ee_features", include_str!("payloads/hasura_ee_features.json")),
    ("hasura", "hasura_ee_source", include_str!("payloads/hasura_ee_source.json")),
    ("hasura", "hasura_ee_labelled", include_str!("payloads/hasura_ee_labelled.json")),
    ("hasura", "hasura_cli_event", include_str!("payloads/hasura_cli_event.json")),
    ("hasura", "hasura_console_event", include_str!("payloads/hasura_console_event.json")),
    ("highlight", "highlight_heartbeat", include_str!("payloads/highlight_heartbeat.json")),
    ("highlight", "highlight_usage", include_str!("payloads/highlight_usage.json")),
    ("resoto", "resoto_usage", include_str!("payloads/resoto_usage.json")),
    ("zincobserve", "zincobserve", include_str!("payloads/zincobserve.json")),
];

/// The examples.
const EXAMPLES: [&str; 5] = ["electric", "hasura", "highlight", "resoto", "zincobserve"];

/// The variables of the examples' own that switch them off.
const SWITCHES: [&str; 5] = [
    "ELECTRIC_TELEMETRY",
    "HASURA_GRAPHQL_ENABLE_TELEMETRY",
    "HIGHLIGHT_TELEMETRY",
    "RESOTOCORE_ANALYTICS_OPT_OUT",
    "ZO_TELEMETRY",
];

fn run(example: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = support::example(example);
    for switch in SWITCHES {
        command.env_remove(switch);
    }
    command.args(arguments).envs(variables.iter().copied()).output().unwrap()
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

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What an example without arguments says, and the reports that have arrived.
fn live(example: &str) -> (String, Vec<String>) {
    let printed = stdout(&run(example, &[], &[]));
    assert!(printed.starts_with("telemetry: on (default)\n"), "{printed}");
    let ends = ["last window: 1 accepted, 0 lost", "last windows: "];
    assert!(ends.iter().any(|end| printed.contains(end)), "{printed}");
    let reports = printed.lines().filter(|line| line.starts_with('{'));
    let reports = reports.map(str::to_owned).collect();
    (printed, reports)
}

#[test]
fn every_sample_equals_the_one_of_its_product() {
    for (example, sample, page) in SAMPLES {
        // It opens no connection, so the switch does not concern it; nor where it runs.
        let variables = [("DO_NOT_TRACK", "1"), ("GITHUB_ACTIONS", "true")];
        let printed = stdout(&run(example, &["--print", sample], &variables));
        assert_eq!(keys(&printed), keys(page), "{sample}");
        assert_eq!(printed.lines().count(), 1, "{sample}");
        assert_eq!(by_value(&parsed(&printed)), by_value(&parsed(page)), "{sample}");
    }
}

#[test]
fn an_argument_that_it_does_not_know_is_an_error() {
    for example in EXAMPLES {
        let output = run(example, &["--print", "nothing"], &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("nothing"));
    }
}

#[test]
fn the_switch_of_each_product_switches_it_off() {
    let off = ["disabled", "false", "off", "true", "false"];
    for (example, (switch, off)) in EXAMPLES.iter().zip(SWITCHES.iter().zip(off)) {
        let output = run(example, &[], &[(switch, off)]);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(printed.starts_with(&format!("telemetry: off ({switch}={off})\n")), "{output:?}");
        assert!(!printed.contains('{'), "{printed}");
    }
}

#[test]
fn electrics_report_arrives_with_the_numbers_that_were_recorded() {
    let (_, reports) = live("electric");
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!(keys(report), keys(include_str!("payloads/electric.json")));
    let usage = &parsed(report)["usage"];
    assert_eq!(usage["operations_from_pg"], 4000);
    assert_eq!(usage["distinct_clients"], 4);
    let rows = json!({"max": 999, "mean": 499.5, "median": 499.5, "min": 0, "mode": 0});
    assert_eq!(usage["subscriptions_rows_per_shape"], rows);
    assert_eq!(usage["electrified_tables"], 7);
    let peak = usage["concurrent_clients"]["max"].as_f64().unwrap();
    assert!((1.0..=4.0).contains(&peak), "{peak}");
}

#[test]
fn electrics_page_is_current() {
    let printed = stdout(&run("electric", &["--print", "page"], &[("DO_NOT_TRACK", "1")]));
    callhome::assert_page_current!("examples/electric/TELEMETRY.md", printed);
}

#[test]
fn receivers_can_read_electrics_reports() {
    let printed =
        |what: &str| stdout(&run("electric", &["--print", what], &[("DO_NOT_TRACK", "1")]));
    let contract = printed("schema");
    callhome::assert_schema_compatible!("examples/electric/schema.json", contract);
    let valid = jsonschema::validator_for(&parsed(&contract)).unwrap();
    let (_, sent) = live("electric");
    for report in [&*printed("electric"), &*sent[0], include_str!("payloads/electric.json")] {
        valid.validate(&parsed(report)).unwrap();
    }
}

#[test]
fn hasuras_reports_arrive_one_for_the_server_and_each_source() {
    let (printed, reports) = live("hasura");
    assert!(printed.contains("last windows: 5 accepted, 0 lost"), "{printed}");
    let [server, features, postgres, mssql, labelled, command, error] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert_eq!(keys(server), keys(include_str!("payloads/hasura_server.json")));
    assert_eq!(parsed(server)["metrics"]["permissions"]["select"], 3);
    assert_eq!(keys(features), keys(include_str!("payloads/hasura_ee_features.json")));
    for (source, backend, tables) in [(postgres, "postgres", 3), (mssql, "mssql", 5)] {
        assert_eq!(keys(source), keys(include_str!("payloads/hasura_ee_source.json")));
        let metrics = &parsed(source)["metrics"];
        assert_eq!(
            (&metrics["backend_type"], &metrics["tables"]),
            (&json!(backend), &json!(tables))
        );
        assert_eq!(metrics["health_check_enabled"], true);
    }
    let metrics = &parsed(labelled)["metrics"];
    let requests = |status: &str, value: u64| json!({"operation_type": "query", "response_status": status, "value": value});
    let expected = json!([requests("failed", 30), requests("__other__", 270)]);
    assert_eq!(metrics["hasura_graphql_requests_total"], expected);
    assert_eq!(metrics["hasura_http_response_bytes_total"], json!([{"value": 300 * 512}]));
    let mut pools: Vec<(Value, Value)> = Vec::new();
    for pool in metrics["hasura_postgres_connections"].as_array().unwrap() {
        pools.push((pool["source_name"].clone(), pool["value"].clone()));
    }
    pools.sort_by_key(|(name, _)| name.to_string());
    assert_eq!(pools, [(json!("default"), json!(2)), (json!("orders"), json!(1))]);

    assert_eq!(keys(command), keys(include_str!("payloads/hasura_cli_event.json")));
    let command = parsed(command);
    assert_eq!(command["command"], "hasura migrate apply");
    assert_eq!((&command["is_error"], &command["payload"]), (&json!(true), &Value::Null));
    assert_eq!(keys(error), keys(include_str!("payloads/hasura_console_event.json")));
    let url = "/data/schema/SCHEMA_NAME/tables/TABLE_NAME/browse";
    assert_eq!(parsed(error)["url"], url);
    assert!(!error.contains("wages"), "{error}");
}

#[test]
fn highlights_heartbeat_comes_by_itself_beside_the_usage() {
    let (printed, reports) = live("highlight");
    assert!(printed.contains(" accepted, 0 lost"), "{printed}");
    let [heartbeat, usage] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!(keys(heartbeat), keys(include_str!("payloads/highlight_heartbeat.json")));
    assert!(parsed(heartbeat)["mem-used"].as_u64().unwrap() > 0);
    assert_eq!(keys(usage), keys(include_str!("payloads/highlight_usage.json")));
    let usage = parsed(usage);
    let said = (&usage["about-you-role"], &usage["about-you-referral"], &usage["backend-setup"]);
    assert_eq!(said, (&json!("Engineering"), &Value::Null, &json!(true)));
    let counts = (&usage["session-count"], &usage["log-count"], &usage["log-view-count"]);
    assert_eq!(counts, (&json!(3), &json!(300), &json!(6)));
}

#[test]
fn resotos_report_arrives_with_commands_and_errors_told_apart() {
    let (_, reports) = live("resoto");
    let [report] = &reports[..] else { panic!("{reports:?}") };
    let expected = json!({
        "started_cores": 1,
        "long_running_cores": 0,
        "cli_commands_executed": {"list": 8, "search": 4},
        "jobs_executed": 4,
        "errors": [{"kind": "ConnectionError", "value": 4}],
    });
    assert_eq!(parsed(report), expected);
    let printed = stdout(&run("resoto", &["--analytics-opt-out"], &[]));
    assert_eq!(printed, "telemetry: off (--analytics-opt-out=true)\n");
}

#[test]
fn zincobserves_report_arrives_with_what_this_machine_says() {
    let (_, reports) = live("zincobserve");
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!(keys(report), keys(include_str!("payloads/zincobserve.json")));
    let report = parsed(report);
    assert_eq!(
        (&report["num_streams"], &report["streams_compressed_size"]),
        (&json!(6), &json!(7.5))
    );
    let memory = |of: &str| report[format!("{of}_memory")].as_u64().unwrap();
    assert!(memory("free") <= memory("total") && memory("avail") <= memory("total"));
    assert!(report["os"].is_string() && report["cpu_count"].as_u64() >= Some(1));
}

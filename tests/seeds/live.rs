//! What the examples send when they run live.

use serde_json::{Value, json};

use super::{collector, keys, parsed};

/// What a receiver got, as the example has printed it.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// The line before it: where it was sent to, where the example says so.
    pub(crate) head: String,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Arrived {
    pub(crate) fn all(printed: &str) -> Vec<Arrived> {
        let lines: Vec<&str> = printed.lines().collect();
        let pairs = lines.windows(2).filter(|pair| pair[1].starts_with('{'));
        let arrived = pairs.map(|pair| Arrived {
            head: pair[0].to_owned(),
            text: pair[1].to_owned(),
            body: parsed(pair[1]),
        });
        arrived.collect()
    }

    /// Its keys are those of the product's page.
    #[track_caller]
    fn is_as(&self, page: &str) -> &Value {
        assert_eq!(keys(&self.text), keys(page));
        &self.body
    }
}

pub(crate) fn electric(reports: &[Arrived]) {
    let [usage, application, eu, rest @ ..] = reports else { panic!("{reports:?}") };
    let usage = &usage.is_as(include_str!("../payloads/electric.json"))["usage"];
    assert_eq!(usage["operations_from_pg"], 4000);
    assert_eq!(usage["distinct_clients"], 4);
    let rows = json!({"max": 999, "mean": 499.5, "median": 499.5, "min": 0, "mode": 0});
    assert_eq!(usage["subscriptions_rows_per_shape"], rows);
    assert_eq!(usage["electrified_tables"], 7);
    let peak = usage["concurrent_clients"]["max"].as_f64().unwrap();
    assert!((1.0..=4.0).contains(&peak), "{peak}");

    collector::takes(&application.body);
    let of = |value: &Value, name: &str| value[name].as_f64().unwrap();
    let system = &application.body["system"];
    for (free, used) in [("load_avg1", "load_avg5"), ("memory_free_percent", "memory_used_percent")]
    {
        assert!(of(system, free) >= 0.0 && of(system, used) >= 0.0, "{system}");
    }
    let busy = of(&application.body["resources"]["run_queue_total"], "max");
    assert!((1.0..=4.0).contains(&busy), "{busy}");

    // One stack goes and sends what it has, the others end with the process.
    let us = rest.iter().find(|report| report.body["environment"]["stack_id"] == "us").unwrap();
    for (stack, id, version) in [(eu, "eu", 160_004), (us, "us", 170_000)] {
        collector::takes(&stack.body);
        let environment = &stack.body["environment"];
        assert_eq!(environment["stack_id"], id);
        assert_eq!(environment["pg_version"], version);
        let names = ["electric_instance_id", "electric_installation_id"];
        assert!(names.iter().all(|id| environment[id] == application.body["environment"][id]));
        let usage = &stack.body["usage"];
        let counts = [&usage["inbound_operations"], &usage["unique_clients"]];
        assert_eq!(counts, [&json!(2000), &json!(2)]);
        assert_eq!(usage["wal_size"]["median"], 31_968);
    }
    assert_eq!(rest.len(), 3, "the last windows of those that are left");
    let applications = rest.iter().filter(|report| report.body["system"].is_object());
    applications.for_each(|report| collector::takes(&report.body));
}

pub(crate) fn hasura(reports: &[Arrived]) {
    let [server, features, timings, postgres, mssql, labelled, command, error] = reports else {
        panic!("{reports:?}")
    };
    let server = server.is_as(include_str!("../payloads/hasura_server.json"));
    assert_eq!(server["metrics"]["permissions"]["select"], 3);
    features.is_as(include_str!("../payloads/hasura_ee_features.json"));
    for (source, backend, tables) in [(postgres, "postgres", 3), (mssql, "mssql", 5)] {
        let metrics = &source.is_as(include_str!("../payloads/hasura_ee_source.json"))["metrics"];
        assert_eq!(
            (&metrics["backend_type"], &metrics["tables"]),
            (&json!(backend), &json!(tables))
        );
        assert_eq!(metrics["health_check_enabled"], true);
    }
    let metrics = &labelled.body["metrics"];
    let requests = |status: &str, value: u64| json!({"operation_type": "query", "response_status": status, "value": value});
    let expected = json!([requests("failed", 30), requests("__other__", 270)]);
    assert_eq!(metrics["hasura_graphql_requests_total"], expected);
    assert_eq!(metrics["hasura_http_response_bytes_total"], json!([{"value": 300 * 512}]));
    let pools = metrics["hasura_postgres_connections"].as_array().unwrap().iter();
    let mut pools: Vec<(&str, u64)> = pools
        .map(|pool| (pool["source_name"].as_str().unwrap(), pool["value"].as_u64().unwrap()))
        .collect();
    pools.sort_unstable();
    assert_eq!(pools, [("default", 2), ("orders", 1)]);
    service_timings(&timings.body);

    let command = command.is_as(include_str!("../payloads/hasura_cli_event.json"));
    assert_eq!(command["command"], "hasura migrate apply");
    assert_eq!((&command["is_error"], &command["payload"]), (&json!(true), &Value::Null));
    let said = error.is_as(include_str!("../payloads/hasura_console_event.json"));
    assert_eq!(said["url"], "/data/schema/SCHEMA_NAME/tables/TABLE_NAME/browse");
    assert!(!error.text.contains("wages"), "{error:?}");
}

/// All combinations of the enums' values and of the cut-offs are there; those that were recorded have
/// their counts and sums.
fn service_timings(report: &Value) {
    let mut expected = Vec::new();
    for query_type in ["query", "mutation"] {
        for transport in ["http", "websocket"] {
            for cache in ["hit", "miss"] {
                for cutoff in [json!(0), json!(0.001), json!(0.05), json!(1), json!(3600)] {
                    let recorded = (query_type, transport, cache) == ("query", "http", "miss");
                    let (sum, count) = match cutoff.as_f64() {
                        Some(0.0) if recorded => (json!(0.015), 30),
                        Some(0.001) if recorded => (json!(5.4), 270),
                        _ => (json!(0), 0),
                    };
                    expected.push(json!({
                        "query_type": query_type, "transport": transport, "cache": cache,
                        "greater_than": cutoff, "sum": sum, "count": count,
                    }));
                }
            }
        }
    }
    assert_eq!(report["service_timings"], Value::Array(expected));
    assert!(report["collection_tag"].as_str().unwrap().ends_with('Z'), "{report}");
}

pub(crate) fn highlight(reports: &[Arrived]) {
    let [heartbeat, usage] = reports else { panic!("{reports:?}") };
    let heartbeat = heartbeat.is_as(include_str!("../payloads/highlight_heartbeat.json"));
    assert!(heartbeat["mem-used"].as_u64().unwrap() > 0);
    let usage = usage.is_as(include_str!("../payloads/highlight_usage.json"));
    let said = (&usage["about-you-role"], &usage["about-you-referral"], &usage["backend-setup"]);
    assert_eq!(said, (&json!("Engineering"), &Value::Null, &json!(true)));
    let counts = (&usage["session-count"], &usage["log-count"], &usage["log-view-count"]);
    assert_eq!(counts, (&json!(3), &json!(300), &json!(6)));
}

pub(crate) fn resoto(sent: &[Arrived]) {
    let [usage, events] = sent else { panic!("{sent:?}") };
    assert_eq!((&*usage.head, &*events.head), ("/capture/", "/batch/"));
    let expected = json!({
        "started_cores": 1,
        "long_running_cores": 0,
        "cli_commands_executed": {"list": 8, "search": 4},
        "jobs_executed": 4,
        "errors": [{"kind": "ConnectionError", "value": 4}],
    });
    assert_eq!(usage.body["properties"], expected);
    assert_eq!(
        keys(&usage.text)[..4],
        ["api_key", "event", "distinct_id", "properties"],
        "PostHog's envelope"
    );
    assert_eq!(
        keys(&events.text)[..6],
        ["api_key", "batch", "event", "distinct_id", "timestamp", "properties"]
    );
    let batch = events.body["batch"].as_array().unwrap();
    let of = |kind: &str| batch.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    let [started] = of("core.started")[..] else { panic!("{batch:?}") };
    assert!(started["properties"]["cores"].as_u64() >= Some(1), "{started}");
    assert_eq!((of("job.finished").len(), of("error").len(), batch.len()), (4, 4, 9));
    let job = json!({"name": "collect", "steps": 3, "seconds": 0.5});
    assert!(of("job.finished").iter().all(|event| event["properties"] == job));
    assert!(of("error").iter().all(|e| e["properties"] == json!({"kind": "ConnectionError"})));
}

pub(crate) fn zincobserve(sent: &[Arrived]) {
    let [start, heartbeat, stop] = sent else { panic!("{sent:?}") };
    let mut expected = keys(include_str!("../payloads/zincobserve.json"));
    expected.push("reason");
    for (report, reason) in [(start, "start"), (heartbeat, "heartbeat"), (stop, "stop")] {
        assert_eq!(report.head, "/v1/track authorization: Basic emluYzo=", "zinc, no password");
        let track = keys(&report.text);
        let (envelope, fields) = track.split_at(track.len() - expected.len());
        assert_eq!(envelope, ["type", "messageId", "anonymousId", "event", "properties"]);
        assert_eq!(fields, expected);
        let properties = &report.body["properties"];
        assert_eq!(properties["reason"], reason);
        assert_eq!(properties["instance_id"], report.body["anonymousId"]);
        let memory = |of: &str| properties[format!("{of}_memory")].as_u64().unwrap();
        assert!(memory("free") <= memory("total") && memory("avail") <= memory("total"));
        assert!(properties["os"].is_string() && properties["cpu_count"].as_u64() >= Some(1));
    }
    assert_eq!(start.body["properties"]["num_streams"], 0);
    let sizes = &heartbeat.body["properties"];
    assert_eq!(
        (&sizes["num_streams"], &sizes["streams_compressed_size"]),
        (&json!(6), &json!(7.5))
    );
}

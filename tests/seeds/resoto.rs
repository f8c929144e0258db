//! A test as Resoto might have it: what a core reports is seen in memory, without a port.

use std::time::Duration;

use callhome::sink::MemorySink;
use callhome::{CallHome, Schema};
use metrics::with_local_recorder;
use report::Core;
use serde_json::{Value, json};

#[path = "../../examples/resoto/report.rs"]
mod report;

const MINUTE: Duration = Duration::from_secs(60);

fn sent(sink: &MemorySink) -> Vec<Value> {
    sink.bodies().iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
}

#[test]
fn a_core_starts_once_and_is_long_running_after_an_hour() {
    let (to_usage, to_events) = (MemorySink::new(), MemorySink::new());
    let usage = CallHome::builder(report::usage()).sink(to_usage.clone()).opt_out().bare();
    let usage = usage.build().unwrap();
    let events = CallHome::builder(Schema::new("events")).sink(to_events.clone()).bare();
    let events = report::events().into_iter().fold(events, |events, kind| events.event(kind));
    let events = usage.attach(events.events_as_array(100, MINUTE)).unwrap();
    with_local_recorder(usage.recorder(), || {
        let mut core = Core::start(&events).unwrap();
        (0..100).for_each(|_| core.run_command("search"));
        core.run_job("collect", 3, &events).unwrap();
        for minutes in [1, 59, 60, 61, 600] {
            core.has_run(minutes * MINUTE);
            usage.flush().unwrap();
        }
        core.fail("ConnectionError", &events).unwrap();
    });
    assert_eq!(usage.shutdown(MINUTE).lost(), 0);
    let reports = sent(&to_usage);
    let of = |name: &str| reports.iter().map(|report| report[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("started_cores"), [1, 0, 0, 0, 0, 0]);
    assert_eq!(of("long_running_cores"), [0, 0, 1, 0, 0, 0], "once");
    assert_eq!(of("cli_commands_executed")[0], json!({"search": 100}));
    assert_eq!(of("jobs_executed")[0], 1);
    assert_eq!(of("errors")[5], json!([{"kind": "ConnectionError", "value": 1}]));

    let [batch] = &sent(&to_events)[..] else { panic!("{to_events:?}") };
    let kinds: Vec<&Value> = batch.as_array().unwrap().iter().map(|e| &e["event"]).collect();
    assert_eq!(kinds, ["core.started", "job.finished", "error"]);
    assert_eq!(batch[1]["properties"], json!({"name": "collect", "steps": 3, "seconds": 0.5}));
}

#[test]
fn commands_are_told_apart_up_to_a_cap() {
    let usage = CallHome::builder(report::usage()).bare().build().unwrap();
    with_local_recorder(usage.recorder(), || {
        for command in 0..80 {
            let name = format!("command {command}");
            metrics::counter!("cli_commands_executed", "command" => name).increment(1);
        }
    });
    let report = usage.flush().unwrap();
    let commands = report["cli_commands_executed"].as_object().unwrap();
    assert_eq!((commands.len(), &commands["__other__"]), (65, &json!(16)));
}

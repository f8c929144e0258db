//! What the collector of Electric's newer reports takes: `tests/collector/electric.json`.

use callhome::host::HostFacts;
use callhome::{CallHome, Figure, Schema};
use serde_json::{Value, json};

use super::parsed;

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&parsed(include_str!("../collector/electric.json"))).unwrap()
}

/// The collector takes this report.
#[track_caller]
pub(crate) fn takes(report: &Value) {
    if let Err(error) = validator().validate(report) {
        panic!("{error} at {}\n{report}", error.instance_path());
    }
}

/// An application's report whose summary has these figures too.
fn application(figures: &[Figure]) -> Value {
    let sampled = |s: Schema, name: &str| s.summary(name);
    let queues = ["run_queue_total", "run_queue_cpu", "run_queue_io"];
    let system = [
        "load_avg1",
        "load_avg5",
        "load_avg15",
        "memory_free",
        "memory_used",
        "memory_free_percent",
        "memory_used_percent",
        "swap_free",
        "swap_used",
        "swap_free_percent",
        "swap_used_percent",
    ];
    let schema = Schema::new("application")
        .fact("electric_version", "1.0")
        .section("environment", |s| {
            let s = s.os("os").arch("arch").cores("cores").ram("ram");
            s.instance_id("electric_instance_id").cluster_id("electric_installation_id")
        })
        .section("resources", |s| {
            let s = s.uptime("uptime").sampled("used_memory", || 1.5);
            let s = figures.iter().copied().fold(s, Schema::with);
            queues.into_iter().fold(s, sampled)
        })
        .section("system", |s| system.into_iter().fold(s, |s, name| s.gauge(name).default(1.0)));
    let mut host = HostFacts::new("x86_64-pc-linux-gnu", "unix", "linux");
    (host.cores, host.ram) = (Some(8), Some(1 << 34));
    let report = CallHome::builder(schema).host(host).bare().build().unwrap().flush().unwrap();
    parsed(report.body())
}

#[test]
fn our_summaries_fit_it_by_default_and_no_others() {
    takes(&application(&[]));
    for figure in
        [Figure::Count, Figure::Sum, Figure::Stddev, Figure::Quantile(0.99), Figure::Buckets(16)]
    {
        assert!(!validator().is_valid(&application(&[figure])), "{figure:?}");
    }
    let (report, is_valid) = (application(&[]), |value: &Value| validator().is_valid(value));
    for (at, name) in [
        ("", "electric_version"),
        ("/environment", "electric_instance_id"),
        ("/resources", "run_queue_io"),
        ("/resources/used_memory", "mode"),
        ("/system", "swap_used_percent"),
    ] {
        let object = |value: &mut Value, change: fn(&mut serde_json::Map<String, Value>, &str)| {
            change(value.pointer_mut(at).unwrap().as_object_mut().unwrap(), name);
        };
        let (mut less, mut more) = (report.clone(), report.clone());
        object(&mut less, |object, name| drop(object.remove(name)));
        object(&mut more, |object, name| {
            object.insert(format!("{name}_too"), json!(1));
        });
        assert!(!is_valid(&less) && !is_valid(&more), "{at}: {name}");
    }
    let mut wrong = report.clone();
    wrong["system"]["memory_free_percent"] = json!(100.5);
    assert!(!is_valid(&wrong));
    let mut wrong = report;
    wrong["resources"]["uptime"] = json!(0.5);
    assert!(!is_valid(&wrong));
}

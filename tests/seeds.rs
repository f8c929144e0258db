//! The examples that are products' telemetry, run as their users run them: each prints the samples of
//! its product's page, and each sends what it records.
#![cfg(all(feature = "http", feature = "host"))]

#[path = "seeds/collector.rs"]
mod collector;
#[path = "seeds/documents.rs"]
mod documents;
#[path = "seeds/live.rs"]
mod live;
#[path = "seeds/resoto.rs"]
mod resoto;
mod support;

use std::process::Output;

use live::Arrived;
use serde_json::Value;

/// An example.
struct Seed {
    name: &'static str,
    /// What it prints, and the files of `tests/payloads` that say what that is.
    samples: &'static [(&'static str, &'static str)],
    /// The variable of its own that switches it off, and a word that does.
    switch: (&'static str, &'static str),
    /// Checks what it sends.
    live: fn(&[Arrived]),
}

macro_rules! samples {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!("payloads/", $name, ".json")))),*]
    };
}

const SEEDS: [Seed; 5] = [
    Seed {
        name: "electric",
        samples: samples!["electric"],
        switch: ("ELECTRIC_TELEMETRY", "disabled"),
        live: live::electric,
    },
    Seed {
        name: "hasura",
        samples: samples![
            "hasura_server",
            "hasura_ee_features",
            "hasura_ee_source",
            "hasura_ee_labelled",
            "hasura_cli_event",
            "hasura_console_event"
        ],
        switch: ("HASURA_GRAPHQL_ENABLE_TELEMETRY", "false"),
        live: live::hasura,
    },
    Seed {
        name: "highlight",
        samples: samples!["highlight_heartbeat", "highlight_usage"],
        switch: ("HIGHLIGHT_TELEMETRY", "off"),
        live: live::highlight,
    },
    Seed {
        name: "resoto",
        samples: samples!["resoto_usage"],
        switch: ("RESOTOCORE_ANALYTICS_OPT_OUT", "true"),
        live: live::resoto,
    },
    Seed {
        name: "zincobserve",
        samples: samples!["zincobserve"],
        switch: ("ZO_TELEMETRY", "false"),
        live: live::zincobserve,
    },
];

fn run(example: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = support::example(example);
    for seed in SEEDS {
        command.env_remove(seed.switch.0);
    }
    command.args(arguments).envs(variables.iter().copied()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What an example prints. It opens no connection, so the switch does not concern it; nor where it
/// runs.
fn print(example: &str, what: &str) -> String {
    let variables = [("DO_NOT_TRACK", "1"), ("GITHUB_ACTIONS", "true")];
    stdout(&run(example, &["--print", what], &variables))
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

/// What an example without arguments sends: over HTTP, from several threads, with what this machine
/// says of itself.
fn live(example: &str) -> Vec<Arrived> {
    let printed = stdout(&run(example, &[], &[]));
    assert!(printed.starts_with("telemetry: on (default)\n"), "{printed}");
    let ends = printed.lines().filter(|line| line.starts_with("last window"));
    let ends: Vec<&str> = ends.collect();
    let [end] = ends[..] else { panic!("{printed}") };
    assert!(end.ends_with(" accepted, 0 lost") && !end.ends_with(": 0 accepted, 0 lost"), "{end}");
    Arrived::all(&printed)
}

#[test]
fn every_product_prints_the_samples_of_its_page_and_sends_what_it_records() {
    for Seed { name, samples, live: check, .. } in SEEDS {
        for (sample, page) in samples {
            let printed = print(name, sample);
            assert_eq!(keys(&printed), keys(page), "{sample}");
            assert_eq!(printed.lines().count(), 1, "{sample}");
            assert_eq!(by_value(&parsed(&printed)), by_value(&parsed(page)), "{sample}");
        }
        check(&live(name));
    }
    let there = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/payloads")).unwrap();
    let there = there.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "json");
    let all: usize = SEEDS.iter().map(|seed| seed.samples.len()).sum();
    assert_eq!(there.count(), all, "each payload has an example that prints it");
}

#[test]
fn an_argument_that_it_does_not_know_is_an_error() {
    for Seed { name, samples, .. } in SEEDS {
        let output = run(name, &["--print", "nothing"], &[]);
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(samples.iter().all(|(sample, _)| error.contains(sample)), "{error}");
    }
}

#[test]
fn the_switch_of_each_product_switches_it_off() {
    for Seed { name, switch: (variable, off), .. } in SEEDS {
        let output = run(name, &[], &[(variable, off)]);
        assert_eq!(stdout(&output), format!("telemetry: off ({variable}={off})\n"));
    }
    let printed = stdout(&run("resoto", &["--analytics-opt-out"], &[]));
    assert_eq!(printed, "telemetry: off (--analytics-opt-out=true)\n");
}

/// What a maintainer reads to find the pattern.
#[test]
fn an_example_is_short() {
    for Seed { name, .. } in SEEDS {
        let folder = format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            let lines = text.lines().count();
            assert!(!is_source || lines < 120, "{} has {lines} lines", path.display());
        }
    }
}

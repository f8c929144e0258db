//! The documents that the examples make of their schemas: pages, and JSON Schemas.

use std::collections::BTreeSet;
use std::fs;

use jsonschema::Validator;

use serde_json::Value;

use super::live::Arrived;
use super::{SEEDS, live, parsed, print, run};

/// A sample that lacks what every real report has, the reason why it is made.
const WITHOUT: [&str; 1] = ["zincobserve"];

/// The documents that an example has: `page` and `schema`, and those of its other reports.
fn documents(example: &str) -> Vec<String> {
    let usage = String::from_utf8(run(example, &["--help"], &[]).stderr).unwrap();
    let (_, names) = usage.split_once("--print ").expect("a list of what it prints");
    let names = names.split(']').next().unwrap_or_default().split('|');
    let is_document = |name: &&str| name.ends_with("page") || name.ends_with("schema");
    names.filter(is_document).map(str::to_owned).collect()
}

/// Where a document is committed, in the folder of its example.
fn file(document: &str) -> String {
    match document.split_once('.') {
        None if document == "page" => "TELEMETRY.md".to_owned(),
        None => format!("{document}.json"),
        Some((report, "page")) => format!("{report}.md"),
        Some((report, _)) => format!("{report}.schema.json"),
    }
}

#[test]
fn every_page_and_every_contract_is_current() {
    for seed in SEEDS {
        let documents = documents(seed.name);
        for document in &documents {
            let text = print(seed.name, document);
            let path = format!("examples/{}/{}", seed.name, file(document));
            match document.ends_with("page") {
                true => callhome::assert_page_current!(&path, text),
                false => callhome::assert_schema_compatible!(&path, text),
            }
        }
        let folder = format!("{}/examples/{}", env!("CARGO_MANIFEST_DIR"), seed.name);
        let there = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
        let there = there.map(|name| name.into_string().unwrap()).filter(|n| !n.ends_with(".rs"));
        let made: BTreeSet<String> = documents.iter().map(|name| file(name)).collect();
        assert!(made.contains("TELEMETRY.md") && made.contains("schema.json"), "{made:?}");
        assert_eq!(there.collect::<BTreeSet<_>>(), made, "{}", seed.name);
    }
}

/// What the crate has sent, without its receiver's envelope.
fn inner(body: &Value) -> &Value {
    body.get("batch").or(body.get("properties")).unwrap_or(body)
}

#[test]
fn receivers_can_read_what_the_examples_send() {
    for seed in SEEDS {
        let contracts = documents(seed.name).into_iter().filter(|name| name.ends_with("schema"));
        let contracts: Vec<(String, Validator)> = contracts
            .map(|name| {
                let contract = parsed(&print(seed.name, &name));
                (name, jsonschema::validator_for(&contract).unwrap())
            })
            .collect();
        for (sample, page) in seed.samples {
            for report in [parsed(&print(seed.name, sample)), parsed(page)] {
                let takes = contracts.iter().any(|(_, valid)| valid.is_valid(&report));
                assert_eq!(takes, !WITHOUT.contains(sample), "{sample}");
            }
        }
        // Some are in an envelope of their receiver.
        let sent = live(seed.name);
        let sent: Vec<&Value> = sent.iter().map(|Arrived { body, .. }| inner(body)).collect();
        for (name, valid) in &contracts {
            assert!(sent.iter().any(|report| valid.is_valid(report)), "{} {name}", seed.name);
        }
    }
}

//! What `Schema::compare` says of series, against what a receiver with the old contract does.

use callhome::testing::MemorySink;
use callhome::{CallHome, Schema, Series};
use metrics::counter;
use serde_json::{Value, json};

type Labels = fn(Series) -> Series;

fn schema(labels: Labels) -> Schema {
    Schema::new("shop").series("requests", labels)
}

fn contract(labels: Labels) -> String {
    let builder = CallHome::builder(schema(labels)).sink(MemorySink::new()).opt_out();
    builder.to_json_schema().unwrap()
}

/// A receiver that knows this contract, and ignores members that it does not know.
fn receiver(contract: &str) -> jsonschema::Validator {
    let mut contract: Value = serde_json::from_str(contract).unwrap();
    fn ignoring(part: &mut Value) {
        match part {
            Value::Object(members) => {
                members.values_mut().for_each(ignoring);
                if members.get("additionalProperties") == Some(&json!(false)) {
                    members.insert("additionalProperties".into(), json!(true));
                }
                // The id has the hash of the very schema.
                if members.contains_key("schema_id") {
                    members.remove("schema_id");
                }
            }
            Value::Array(parts) => parts.iter_mut().for_each(ignoring),
            _ => {}
        }
    }
    ignoring(&mut contract);
    jsonschema::validator_for(&contract).unwrap()
}

/// A report with all that the labels may be.
fn report(labels: Labels) -> Value {
    let sink = MemorySink::new();
    let t = CallHome::builder(schema(labels)).sink(sink.clone()).opt_out().build().unwrap();
    metrics::with_local_recorder(t.recorder(), || {
        for status in ["ok", "failed", "late", "anything"] {
            for operation in ["read", "write"] {
                let labels = [("status", status), ("operation", operation)];
                counter!("requests", &labels).increment(1);
            }
        }
    });
    t.flush().unwrap();
    sink.documents().remove(0)
}

#[test]
fn a_label_breaks_what_a_receiver_with_the_old_contract_rejects() {
    let two: Labels = |s| s.values("status", ["ok", "failed"]);
    let three: Labels = |s| s.values("status", ["ok", "failed", "late"]);
    let others: Labels = |s| s.values("status", ["ok", "failed"]).others();
    let seen: Labels = |s| s.seen("status");
    let long: Labels = |s| s.values("status", ["ok".to_owned(), "é".repeat(65)]);
    let both: Labels =
        |s| s.values("status", ["ok", "failed"]).values("operation", ["read", "write"]);
    let object: Labels = |s| s.values("status", ["ok", "failed"]).as_object();
    let larger: Labels = |s| s.values("status", ["ok", "failed", "late"]).as_object();
    let path = "`data.requests[].status`";
    for (old, new, wanted) in [
        (two, two, ""),
        (two, three, "breaking: {path} may be \"late\""),
        (three, two, "compatible: {path} is not \"late\" any more"),
        (two, others, "breaking: {path} may be \"__other__\""),
        (others, two, "compatible: {path} is not \"__other__\" any more"),
        (
            others,
            three,
            "breaking: {path} may be \"late\"\ncompatible: {path} is not \"__other__\" any more",
        ),
        (two, seen, "breaking: {path} may be anything"),
        (seen, two, "compatible: {path} is \"ok\" or \"failed\" now"),
        (seen, long, "breaking: {path} has the length none, and had 64"),
        (two, both, "compatible: `data.requests[].operation` is new"),
        (both, two, "breaking: `data.requests[].operation` is gone"),
        (object, larger, "compatible: `data.requests.late` is new"),
        (larger, object, "breaking: `data.requests.late` is gone"),
        (two, object, "breaking: "),
    ] {
        let changes = Schema::compare(&contract(old), &contract(new)).unwrap();
        let wanted = wanted.replace("{path}", path);
        assert!(changes.to_string().starts_with(&wanted), "{changes}\nand not {wanted}");
        let (takes, report) = (receiver(&contract(old)), report(new));
        assert!(receiver(&contract(new)).is_valid(&report), "{report}");
        let breaks = !changes.breaking().is_empty();
        assert_eq!(breaks, !takes.is_valid(&report), "{changes}\n{report}");
    }
}

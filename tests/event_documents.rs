//! The page about events and their JSON Schemas: they say what is declared, and what is sent is valid.

use std::time::Duration;

use callhome::testing::MemorySink;
use callhome::{Builder, CallHome, ErrorKind, Fact, Page, Schema};
use serde_json::{Value, json};

fn command() -> Schema {
    Schema::new("command")
        .strict()
        .instance_id("process")
        .describe("Groups the events of one process")
        .given("name")
        .describe("What was run")
        .example("migrate apply")
        .given_or("is_error", false)
        .describe("Whether it failed")
        .section("data", |s| s.given_list("flags").describe("Its flags, without their values"))
        .describe("About how it was run.")
}

fn error() -> Schema {
    Schema::new("error").fact_with("kind", || Fact::text("io")).example("io")
}

fn builder() -> (Builder, MemorySink) {
    let sink = MemorySink::new();
    let builder = CallHome::builder(Schema::new("cli")).event(command()).event(error());
    (builder.sink(sink.clone()).opt_out().switch("CLI_TELEMETRY"), sink)
}

fn text(builder: &Builder) -> String {
    let page = Page::new("Cli").why("To know what is used.").retention("A year.");
    builder.to_markdown(&page).unwrap()
}

#[test]
fn the_page_has_each_kind_with_its_fields_and_a_sample() {
    let (builder, _) = builder();
    let page = text(&builder);
    for words in [
        "An event is a report of one thing that happened.",
        "### `command`\n\n| name |",
        "| `name` | What was run | given: text, number, flag or null | | | `\"migrate apply\"` |",
        "| `is_error` | Whether it failed | given: text, number, flag or null | | | `false` |",
        "### `command: data`\n\nAbout how it was run.\n",
        "| `flags` | Its flags, without their values | given: list | | | `[]` |",
        "### `error`\n\n",
        "### Around it",
        "| `event_id` | A random id of the event, the same whenever it is sent again | `\"3a2ef312",
        "| `time` | When it was sent first, in UTC | `\"2026-01-01T00:00:00.000000Z\"` |",
        "An event is sent when it happens. A report that cannot be delivered",
        "- `process` of `command`, and in the envelope: a random id",
        "| `instance` | The id of the process, as the data has it | `\"0d64597b",
        "\"name\": \"migrate apply\"",
        "\"kind\": \"io\"",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    for words in ["Counters, summaries", "every 4 hours", "window_start", "report_id"] {
        assert!(!page.contains(words), "{words}\n{page}");
    }
    let together = text(&builder.events_as_array(20, Duration::from_secs(10)).bare());
    assert!(
        together.contains("together: when there are 20, 10 seconds after the first"),
        "{together}"
    );
    assert!(!together.contains("event_id"), "{together}");

    let (builder, _) = self::builder();
    let nameless = builder.event(Schema::new("more").strict().given("x"));
    let page = Page::new("Cli").why("To know.").retention("A year.");
    let wrong = nameless.to_markdown(&page).unwrap_err().to_string();
    assert!(wrong.contains("`x` is not described"), "{wrong}");
}

#[test]
fn what_is_sent_is_valid_and_nothing_else_is() {
    for bare in [false, true] {
        let (builder, sink) = builder();
        let builder = if bare { builder.bare() } else { builder };
        let [command, error] = ["command", "error"].map(|kind| {
            let contract: Value =
                serde_json::from_str(&builder.event_json_schema(kind).unwrap()).unwrap();
            assert!(jsonschema::meta::is_valid(&contract), "{contract}");
            jsonschema::options().should_validate_formats(true).build(&contract).unwrap()
        });
        let callhome = builder.build().unwrap();
        assert!(callhome.event("nothing").send().is_err(), "and it is told of");
        let sent = callhome.event("command").set("name", "migrate").set_list("data.flags", ["-v"]);
        sent.send().unwrap();
        callhome.event("command").send().unwrap();
        callhome.event("error").send().unwrap();
        callhome.flush().unwrap();
        let [first, second, third] = &sink.documents()[..] else { panic!("{sink:?}") };
        assert_eq!(first["losses"]["undeclared_events"] == 1, !bare, "{first}");
        for (valid, document) in [(&command, first), (&command, second), (&error, third)] {
            if let Err(fault) = valid.validate(document) {
                panic!("{fault} in {document}");
            }
            for pointer in ["", "/data"] {
                let mut more = document.clone();
                let Some(object) = more.pointer_mut(pointer).and_then(Value::as_object_mut) else {
                    continue;
                };
                object.insert("more".into(), json!(1));
                assert!(!valid.is_valid(&more), "{more}");
                let mut fewer = document.clone();
                let object = fewer.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
                let name = object.keys().next().cloned().unwrap();
                object.remove(&name);
                assert!(!valid.is_valid(&fewer), "without {name}: {fewer}");
            }
        }
        assert!(!command.is_valid(third) && !error.is_valid(first));
    }
}

#[test]
fn a_contract_of_an_event_is_compared_as_that_of_a_report() {
    let (builder, _) = builder();
    let old = builder.event_json_schema("command").unwrap();
    let (other, _) = self::builder();
    let new = other.event(Schema::new("later").given("name"));
    let same = Schema::compare(&old, &new.event_json_schema("command").unwrap()).unwrap();
    assert_eq!(same.to_string(), "");
    let gone = Schema::compare(&old, &new.event_json_schema("later").unwrap()).unwrap();
    assert!(gone.breaking().contains(&"`data.is_error` is gone".to_owned()), "{gone}");

    let unknown = builder.event_json_schema("nothing").unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Usage);
    assert!(builder.to_json_schema().is_err(), "it has no report");
}

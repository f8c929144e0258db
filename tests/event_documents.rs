//! The page about events and their JSON Schemas: they say what is declared, and what is sent is valid.
//!
//! `PROPTEST_CASES=10000 cargo test --test event_documents` tries as many schemas.

#[path = "support/valid.rs"]
mod valid;

use std::time::Duration;

use callhome::sink::SendError;
use callhome::testing::MemorySink;
use callhome::{Builder, CallHome, Changes, ErrorKind, Fact, Page, Schema, Transform};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use valid::{fault, objects, validator, with_fewer, with_more};

fn command() -> Schema {
    Schema::new("command")
        .strict()
        .describe("Sent for each command that is run.")
        .instance_id("process")
        .describe("Groups the events of one process")
        .given("name")
        .describe("What was run")
        .example("migrate apply")
        .given_or("is_error", false)
        .describe("Whether it failed")
        .section("data", |s| {
            s.given_list("flags").describe("Its flags, without their values").example("-v")
        })
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
        "### `command`\n\nSent for each command that is run.\n\n| name |",
        "| `name` | What was run | given: text, number, flag or null | | | `\"migrate apply\"` |",
        "| `is_error` | Whether it failed | given: text, number, flag or null | | | `false` |",
        "### `command: data`\n\nAbout how it was run.\n",
        "| `flags` | Its flags, without their values | given: list | | | `[\"-v\"]` |",
        "### `error`\n\n",
        "### Around it",
        "| `event_id` | A random id of the event, the same whenever it is sent again | `\"3a2ef312",
        "| `time` | When it was sent first, in UTC | `\"2026-01-01T00:00:00.000000Z\"` |",
        "- `process` of `command`, and in the envelope: a random id",
        "| `instance` | The id of the process, as the data has it | `\"0d64597b",
        "\"name\": \"migrate apply\"",
        "Of the event `error`:\n\n```json\n{\n",
        "\"kind\": \"io\"",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    for words in ["Counters, summaries", "every 4 hours", "window_start", "report_id"] {
        assert!(!page.contains(words), "{words}\n{page}");
    }
    assert!(!text(&builder.bare()).contains("event_id"));
}

#[test]
fn the_page_says_how_events_go() {
    let minute = Duration::from_secs(60);
    let alone = text(&builder().0);
    for words in [
        "An event is sent when it happens. An event that cannot be delivered is kept in memory",
        "Of more than 1000 that wait in memory the oldest are given up.",
        "Events go to `memory`, and do not leave the machine.",
        "the very events are written to the program's log",
        "- Each event has a random id of its own",
    ] {
        assert!(alone.contains(words), "{words}\n{alone}");
    }
    let array = builder().0.bare().events_as_array(20, minute).max_events(50).spool("/nowhere");
    let array = text(&array);
    for words in [
        "sent together, as one JSON array: as soon as there are 20, 1 minute after the first of them",
        "An event that cannot be delivered is kept on disk",
        "Of more than 50 that",
        "- What is sent together has one random id, by which",
    ] {
        assert!(array.contains(words), "{words}\n{array}");
    }
    assert!(!array.contains("report that") && !array.contains("Reports"), "{array}");
    let lines = text(&builder().0.events_as_lines(20, minute));
    assert!(lines.contains("sent together, one to a line: as soon as there are 20"), "{lines}");
    let burst = text(&builder().0.events_as_array(20, Duration::ZERO));
    assert!(burst.contains("sent together, as one JSON array, 20 at most."), "{burst}");
    let one = text(&builder().0.events_as_lines(1, minute));
    assert!(one.contains("An event is sent when it happens, one to a line."), "{one}");
}

#[test]
fn documents_fail_where_the_aggregator_would() {
    let wrong = [
        (builder().0.event(error()), "`error` is declared twice"),
        (builder().0.event(Schema::new("e")), "declares no field"),
        (builder().0.event(Schema::new("e").counter("n")), "`n` of the event `e` is a counter"),
        (CallHome::builder(Schema::new("cli").counter("n")).event(error()), "`attach`"),
        (CallHome::builder(Schema::new("cli").strict()).event(error()), "`kind` is not described"),
        (builder().0.event(Schema::new("e").strict().given("x")), "`x` is not described"),
    ];
    for (builder, words) in wrong {
        let builder = builder.sink(MemorySink::new()).opt_out();
        let page = builder.to_markdown(&Page::new("Cli").why("A.").retention("B.")).unwrap_err();
        let contract = builder.to_json_schema().unwrap_err();
        let built = builder.build().unwrap_err();
        for error in [page, contract, built] {
            assert_eq!(error.kind(), ErrorKind::Schema);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
    let described = Schema::new("e").given("x").describe("What");
    let described = CallHome::builder(Schema::new("cli").strict()).event(described);
    assert!(described.build().is_ok());
}

#[test]
fn a_kind_alone_has_a_contract_too() {
    for bare in [false, true] {
        let (builder, sink) = builder();
        let builder = if bare { builder.bare() } else { builder };
        let [command, error] =
            ["command", "error"].map(|kind| validator(&builder.event_json_schema(kind).unwrap()));
        let text = builder.event_json_schema("command").unwrap();
        let about: Vec<&str> = text.lines().filter(|line| line.starts_with("  \"desc")).collect();
        assert!(about.len() == 1 && about[0].ends_with(": Sent for each command that is run.\","));
        let unknown = builder.event_json_schema("nothing").unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::Usage);
        let callhome = builder.build().unwrap();
        let sent = callhome.event("command").set("name", "migrate").set_list("data.flags", ["-v"]);
        sent.send().unwrap();
        callhome.event("error").send().unwrap();
        callhome.flush().unwrap();
        let [first, second] = &sink.documents()[..] else { panic!("{sink:?}") };
        assert_eq!((fault(&command, first), fault(&error, second)), (Ok(()), Ok(())));
        assert!(!command.is_valid(second) && !error.is_valid(first));
    }
}

/// A field of any kind that an event may have.
#[derive(Clone, Debug)]
struct Declared {
    sort: usize,
    transforms: Vec<Transform>,
    fact: Fact,
}

impl Declared {
    fn add(&self, s: Schema, name: String) -> Schema {
        let Declared { sort, transforms, fact } = self.clone();
        match sort {
            0 => transforms.into_iter().fold(s.given(name), Schema::transform),
            1 => s.given_or(name, fact),
            2 => s.given_list(name),
            3 => s.fact(name, fact),
            4 => {
                let s = s.fact_with(name, move || fact.clone());
                transforms.into_iter().fold(s, Schema::transform)
            }
            5 => s.os(name),
            6 => s.cores(name),
            7 => s.ram(name),
            8 => s.uptime(name),
            9 => s.started_at(name),
            10 => s.instance_id(name),
            11 => s.cluster_id(name),
            12 => s.cluster_id_source(name),
            13 => s.arch(name),
            _ => s.ci(name),
        }
    }
}

/// Half of the fields in a section, each with a name of its own.
fn schema(kind: usize, fields: &[Declared]) -> (Schema, Vec<(String, usize)>) {
    let half = fields.len() / 2;
    let names: Vec<String> = (0..fields.len()).map(|at| format!("{kind} {at} \"|<é")).collect();
    let add = |s: Schema, at: usize| fields[at].add(s, names[at].clone());
    let schema = Schema::new(format!("kind/{kind}"));
    let schema = schema.section("first/~", |s| (0..half).fold(s, add));
    let path =
        |at: usize| if at < half { format!("first/~.{}", names[at]) } else { names[at].clone() };
    let paths = (0..fields.len()).map(|at| (path(at), fields[at].sort)).collect();
    ((half..fields.len()).fold(schema, add), paths)
}

/// A constant text of more characters than are kept.
const LONG: &str = include_str!("event_documents.rs");

fn facts() -> impl Strategy<Value = Fact> {
    prop_oneof![
        Just(Fact::NULL),
        any::<bool>().prop_map(Fact::from),
        any::<i64>().prop_map(Fact::from),
        any::<f64>().prop_map(Fact::from),
        ".{0,300}".prop_map(Fact::text),
        Just(Fact::text("15.4 (Debian)")),
        Just(Fact::from(LONG)),
        Just(Fact::from(std::time::SystemTime::UNIX_EPOCH)),
    ]
}

fn declared() -> impl Strategy<Value = Declared> {
    let transform = select(vec![
        Transform::Digits(2),
        Transform::PowerOfTen,
        Transform::MajorMinor,
        Transform::AtLeast(5),
        Transform::AtMost(0.5),
    ]);
    let transforms = prop_oneof![2 => Just(Vec::new()), 1 => vec(transform, 1..3)];
    let parts = (0..15usize, transforms, facts());
    parts.prop_map(|(sort, transforms, fact)| Declared { sort, transforms, fact })
}

/// An event: of which kind, and what is given for its fields, where anything is; or a mistake.
fn said() -> impl Strategy<Value = (Index, Vec<Option<Vec<Fact>>>, bool)> {
    let facts = prop_oneof![4 => vec(facts(), 0..3), 1 => Just(vec![Fact::NULL; 70])];
    let given = option::of(facts);
    (any::<Index>(), vec(given, 8), prop::bool::weighted(0.1))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Body {
    Single,
    Array,
    Lines,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_valid_and_nothing_else_is(
        kinds in vec(vec(declared(), 1..8), 1..4),
        events in vec(said(), 1..12),
        bare in any::<bool>(),
        body in select(vec![Body::Single, Body::Array, Body::Lines]),
        refused in any::<bool>(),
        pick in any::<Index>(),
    ) {
        let sink = MemorySink::new();
        let builder = CallHome::builder(Schema::new("random")).sink(sink.clone()).opt_out();
        let builder = match body {
            Body::Single => builder,
            Body::Array => builder.events_as_array(5, Duration::ZERO),
            Body::Lines => builder.events_as_lines(5, Duration::ZERO),
        };
        let kinds: Vec<_> = kinds.iter().enumerate().map(|(at, fields)| schema(at, fields)).collect();
        let builder = kinds.iter().fold(builder, |builder, (kind, _)| builder.event(kind.clone()));
        let builder = if bare { builder.bare() } else { builder };
        let valid = validator(&builder.to_json_schema().unwrap());
        let callhome = builder.build().unwrap();
        let send = |(kind, given, is_mistake): &(Index, Vec<Option<Vec<Fact>>>, bool)| {
            let kind = kind.index(kinds.len());
            let event = callhome.event(&format!("kind/{kind}"));
            let given = kinds[kind].1.iter().zip(given);
            let event = given.fold(event, |event, ((path, sort), given)| match (sort, given) {
                (0 | 1, Some(facts)) => event.set(path, facts.first().cloned()),
                (2, Some(facts)) => event.set_list(path, facts.clone()),
                _ => event,
            });
            let event = if *is_mistake { event.set("nobody", 1) } else { event };
            assert_eq!(event.send().is_err(), *is_mistake);
        };
        if refused {
            // What comes after them tells of them.
            sink.answer(|_| Err(SendError::refused("never")));
            events.iter().take(2).for_each(send);
            let _ = callhome.flush();
            sink.answer(|_| Ok(()));
        }
        events.iter().for_each(send);
        callhome.flush().unwrap();
        let sent = events.iter().filter(|(_, _, is_mistake)| !is_mistake).count();
        let documents: Vec<Value> = match body {
            Body::Lines => {
                let text: String = sink.bodies().into_iter().map(|b| String::from_utf8(b).unwrap()).collect();
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
            }
            _ => sink.documents(),
        };
        let count = |document: &Value| document.as_array().map_or(1, Vec::len);
        prop_assert_eq!(documents.iter().map(count).sum::<usize>(), sent);
        for document in documents {
            prop_assert_eq!(fault(&valid, &document), Ok(()));
            let mut paths = Vec::new();
            objects(&document, "", &mut paths);
            let path = pick.get(&paths);
            let more = with_more(&document, path);
            prop_assert!(!valid.is_valid(&more), "one more in {path}: {more}");
            let fewer = with_fewer(&document, path).filter(|_| !path.ends_with("losses"));
            prop_assert!(!fewer.is_some_and(|fewer| valid.is_valid(&fewer)), "one fewer in {path}");
            // What is around events is part of the contract.
            let other = if body == Body::Array { document[0].clone() } else { json!([document]) };
            prop_assert!(!valid.is_valid(&other), "{other}");
        }
        prop_assert!(!valid.is_valid(&json!([])), "nothing is sent of no event");
    }
}

fn changes(old: Builder, new: Builder) -> Changes {
    Schema::compare(&old.to_json_schema().unwrap(), &new.to_json_schema().unwrap()).unwrap()
}

/// These kinds, in a builder whose schema has this version.
fn cli(version: u32, kinds: &[Schema]) -> Builder {
    let builder = CallHome::builder(Schema::new("cli").version(version));
    kinds.iter().cloned().fold(builder, Builder::event)
}

#[test]
fn what_receivers_of_events_cannot_bear_is_told_by_kind_and_path() {
    let more = || Schema::new("more").given("x");
    let two = || cli(1, &[command(), error()]);
    assert_eq!(changes(two(), two()).to_string(), "");
    assert_eq!(changes(two(), cli(1, &[error(), command()])).to_string(), "", "in any order");

    let added = changes(two(), cli(1, &[command(), error(), more()]));
    assert_eq!(added.to_string(), "compatible: the event `more` is new");
    let gone = changes(two(), cli(1, &[error(), more()]));
    assert_eq!(gone.breaking(), ["the event `command` is gone"]);
    let versions = [
        (cli(1, &[error()]), true),
        (cli(1, &[error().version(2)]), true),
        (cli(2, &[error()]), false),
    ];
    for (new, is_unannounced) in versions {
        assert_eq!(changes(two(), new).is_unannounced(), is_unannounced);
    }

    let other =
        || Schema::new("error").given("kind").unit("words").section("at", |s| s.given("line"));
    let of_field = changes(two(), cli(1, &[command(), other()]));
    assert_eq!(
        of_field.to_string(),
        "breaking: `error: data.kind` has the kind \"given fact\", and had \"fact\"\n\
         breaking: `error: data.kind` has the unit \"words\", and had none\n\
         compatible: `error: data.at` is new\ncompatible: `error: data.at.line` is new"
    );
    let back = changes(cli(1, &[command(), other()]), two());
    assert!(back.breaking().contains(&"`error: data.at.line` is gone".to_owned()), "{back}");
    let coarser = error().transform(Transform::MajorMinor);
    let coarser = changes(two(), cli(1, &[command(), coarser]));
    assert!(
        coarser.breaking()[0].starts_with("`error: data.kind` has the transforms"),
        "{coarser}"
    );
    let new = [
        (cli(1, &[command(), other()]), true),
        (cli(1, &[command().version(2), other()]), true),
        (cli(1, &[command(), other().version(2)]), false),
        (cli(2, &[command(), other()]), false),
    ];
    for (new, is_unannounced) in new {
        assert_eq!(changes(two(), new).is_unannounced(), is_unannounced);
    }
}

#[test]
fn sending_together_in_another_way_is_a_change_too() {
    let minute = Duration::from_secs(60);
    let two = || cli(1, &[command(), error()]);
    let array = || two().events_as_array(9, minute);
    assert_eq!(changes(array(), two().events_as_array(99, minute)).to_string(), "");
    let lines = changes(two(), two().events_as_lines(9, minute));
    assert_eq!(lines.breaking(), ["the body is \"lines\", and was \"event\""]);
    assert!(lines.is_unannounced());
    let together = changes(array(), cli(2, &[command(), error()]));
    assert_eq!(together.breaking(), ["the body is \"event\", and was \"array\""]);
    assert!(!together.is_unannounced());
    let in_array = changes(array(), cli(1, &[command()]).events_as_array(9, minute));
    assert_eq!(in_array.breaking(), ["the event `error` is gone"]);
    let bare = changes(array(), array().bare());
    assert!(bare.breaking().contains(&"`command: event_id` is gone".to_owned()), "{bare}");
    let report = CallHome::builder(Schema::new("cli").counter("n"));
    assert_eq!(changes(report, two()).breaking(), ["the report is gone"]);
}

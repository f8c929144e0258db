//! The page about the reports: it says what is declared, and nothing that is not.

use std::time::Duration;

use callhome::sink::MemorySink;
use callhome::{Builder, CallHome, ErrorKind, Fact, Figure, Page, Schema, Transform};

fn page() -> Page {
    Page::new("Shop").why("To know what is used.").retention("A year.")
}

fn builder(schema: Schema) -> Builder {
    CallHome::builder(schema).sink(MemorySink::new()).opt_out()
}

fn text(builder: &Builder) -> String {
    builder.to_markdown(&page()).unwrap()
}

#[test]
fn each_field_has_a_row_with_what_was_said_of_it() {
    let schema = Schema::new("shop")
        .describe("What a shop does.")
        .fact("edition", "free")
        .section("usage", |s| {
            s.counter("orders")
                .describe("Orders | placed\nand paid")
                .example(1234)
                .transform(Transform::Digits(2))
                .section("deep", |s| s.gauge("load").unit("cores").example(2.5))
                .summary("rows")
                .with(Figure::Quantile(0.99))
                .transform(Transform::AtLeast(10))
                .example(8)
                .distinct("users", "id")
        })
        .describe("How much it is used.")
        .fact_with("server", || Fact::text("16.4"))
        .transform(Transform::MajorMinor)
        .example("15.4 (Debian)");
    let text = text(&builder(schema));
    for line in [
        "since the report before.\n\nA summary says",
        "\n\nWhat a shop does.\n\n| name |",
        "| `edition` | | constant: text | | | `\"free\"` |",
        "| `server` | | fact: text or null | | first two numbers of the version | `\"15.4\"` |",
        "### `usage`\n\nHow much it is used.\n",
        r"| `orders` | Orders \| placed and paid | counter: integer | | rounded to 2 digits | `1200` |",
        "| `rows` | | summary of samples: max, mean, median, min, mode and p99, or null | | nothing for less than 10 samples | `{\"max\":16,\"mean\":9.0,\"median\":8,\"min\":4,\"mode\":8,\"p99\":16}` |",
        "| `users` | | different values: integer | | | `12` |",
        "### `usage.deep`\n",
        "| `load` | | gauge: number or null | cores | | `2.5` |",
        "- What is counted in `usage.users`: values are hashed",
        "\n        \"load\": 2.5\n",
        "| `window_seconds` | How long that is | `14400.0` |",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let fields = text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(fields, 6 + 10, "and the envelope's: {text}");
}

#[test]
fn the_settings_are_told_as_they_are() {
    let schema = || Schema::new("shop").counter("orders").cluster_id("id").instance_id("process");
    let usual = text(&builder(schema()));
    for words in [
        "made 10 minutes after the start, and then one every 4 hours",
        "some share of 4 hours",
        "kept in memory for 7 days",
        "`memory`, and do not leave the machine",
        "it is on: it is opt-out",
        "`id`: a random id, new at every start",
        "`process`, and in the envelope: a random id of the process, new at every start.",
        "Set `DO_NOT_TRACK=1` in the environment, which many programs heed.\n",
    ] {
        assert!(usual.contains(words), "{words}\n{usual}");
    }
    let other = builder(schema())
        .opt_in()
        .every(Duration::from_secs(3600))
        .first_after(Duration::ZERO)
        .spread(Duration::ZERO)
        .spool("/var/lib/shop/spool")
        .switch("SHOP_TELEMETRY")
        .local_file("/var/log/shop.jsonl")
        .cluster_id_file("/var/lib/shop/id")
        .instance_id("shop-1")
        .bare();
    let other = text(&other);
    for words in [
        "made at the start, and then one every hour.",
        "kept on disk for 7 days",
        "it is off: it is opt-in",
        "kept in `/var/lib/shop/id`",
        "`process`: an id of the process that the program knows",
        "or `SHOP_TELEMETRY=off` for this one alone",
        "`SHOP_TELEMETRY=local` in the environment the very reports are written to the file `/var/log/shop.jsonl`",
    ] {
        assert!(other.contains(words), "{words}\n{other}");
    }
    for words in ["some share of", "Around it", "window_start", "report_id"] {
        assert!(!other.contains(words), "{words}\n{other}");
    }
    assert!(!std::path::Path::new("/var/lib/shop").exists(), "nothing was made");
}

#[test]
fn what_the_maintainers_say_stands_as_they_say_it() {
    let all = page()
        .sent_to("To *us*.")
        .identity("Ask `shop id`.")
        .contact("privacy@example.com")
        .never("Names.")
        .see("`shop telemetry show`");
    let text = builder(Schema::new("shop").counter("n")).to_markdown(&all).unwrap();
    for words in [
        "# Telemetry of Shop\n",
        "## Why\n\nTo know what is used.\n",
        "## Where it is sent\n\nTo *us*.\n",
        "\n\nAsk `shop id`.\n",
        "## How long it is kept\n\nA year.\n",
        "## Contact\n\nprivacy@example.com\n",
        "- Names.\n",
        "- `shop telemetry show`\n",
        "No field of a report is an id",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn a_page_that_cannot_be_true_is_an_error() {
    let schema = || Schema::new("shop").counter("orders");
    let error = |builder: &Builder, page: &Page| builder.to_markdown(page).unwrap_err();
    let no_sink = error(&CallHome::builder(schema()).opt_out(), &page());
    assert!(no_sink.to_string().contains("`endpoint`"), "{no_sink}");
    let no_default = CallHome::builder(schema()).sink(MemorySink::new());
    assert!(error(&no_default, &page()).to_string().contains("`opt_out`"));
    let no_why = error(&builder(schema()), &Page::new("Shop").retention("A year."));
    assert!(no_why.to_string().contains("`why`"), "{no_why}");
    let no_retention = error(&builder(schema()), &Page::new("Shop").why("To know."));
    assert!(no_retention.to_string().contains("`retention`"), "{no_retention}");

    for (schema, wanted) in [
        (schema().example("many"), "`orders` has an example, and takes a number"),
        (Schema::new("shop").summary("a").example(true), "`a` has an example, and takes a number"),
        (Schema::new("shop").arch("a").example(7), "`a` has an example, and takes a text"),
        (Schema::new("shop").os("a").example("linux"), "`a` has an example, and takes no example"),
        (schema().strict(), "`orders` is not described"),
    ] {
        let wrong = error(&builder(schema), &page());
        assert_eq!(wrong.kind(), ErrorKind::Schema);
        assert!(wrong.to_string().contains(wanted), "{wrong}");
    }
}

#[test]
#[should_panic(expected = "-to be\n+generated\n")]
fn a_stale_page_fails_with_what_differs() {
    if std::env::var_os("CALLHOME_BLESS").is_some() {
        panic!("-to be\n+generated\n"); // not to write the file
    }
    callhome::assert_page_current!("tests/payloads/stale.md", "This is\ngenerated\ntext.\n");
}

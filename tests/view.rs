//! The page for operators: what it shows, and that nothing in it is markup but its own.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use callhome::sink::{MemorySink, SendError};
use callhome::testing::VirtualClock;
use callhome::{CallHome, Fact, Schema, view};
use metrics::{counter, histogram};

const HOSTILE: &str = "</pre><script>alert('x')</script><img src=x onerror=\"y\">&amp;";

/// The tags of a page, and all that is in them.
fn tags(page: &str) -> Vec<&str> {
    let inside = page.split('<').skip(1);
    inside.map(|part| part.split('>').next().unwrap()).collect()
}

#[test]
fn nothing_is_markup_but_the_pages_own() {
    let sink = MemorySink::new();
    let schema = Schema::new(HOSTILE)
        .section(format!("s {HOSTILE}"), |s| {
            s.fact_with(HOSTILE, || Fact::text(HOSTILE))
                .describe(HOSTILE)
                .unit(HOSTILE)
                .fact_with("plain", || Fact::text("a"))
                .summary("rows")
                .unit(HOSTILE)
        })
        .describe(HOSTILE);
    let callhome = CallHome::builder(schema)
        .sink(sink.clone())
        .opt_in()
        .setting(HOSTILE, Some(true))
        .build()
        .unwrap();
    callhome.flush().unwrap();
    sink.answer(|_| Err(SendError::retry(HOSTILE)));
    callhome.flush().unwrap_err();
    let page = view::html(&callhome);
    let names: BTreeSet<&str> = tags(&page)
        .iter()
        .map(|tag| tag.split([' ', '/']).find(|s| !s.is_empty()).unwrap())
        .collect();
    let own = [
        "!doctype", "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3",
        "p", "table", "tr", "th", "td", "div", "span", "code", "pre", "svg", "line", "circle",
    ];
    let foreign: Vec<_> = names.iter().filter(|name| !own.contains(*name)).collect();
    assert!(foreign.is_empty(), "{foreign:?}\n{page}");
    for tag in tags(&page) {
        let handler =
            tag.split_whitespace().any(|word| word.starts_with("on") && word.contains('='));
        assert!(!handler && !tag.contains("src="), "{tag}");
    }
    for address in ["http:", "https:", "url(", "@import"] {
        assert!(!page.contains(address), "{address}");
    }
    // Each place where it was put has it as text.
    let escaped = HOSTILE.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let escaped = escaped.replace('\'', "&#39;").replace('"', "&quot;");
    let shown = page.matches(&escaped).count();
    assert!(shown >= 10, "{shown} times\n{page}");
}

#[test]
fn it_shows_what_was_sent_last_and_what_would_be_next() {
    let (sink, clock) = (MemorySink::new(), VirtualClock::new());
    let schema = Schema::new("shop").section("usage", |s| {
        s.counter("orders").describe("Orders placed").summary("rows").unit("bytes")
    });
    let callhome = CallHome::builder(schema)
        .sink(sink.clone())
        .clock(clock.clone())
        .opt_out()
        .switch("CALLHOME_VIEW_TEST")
        .max_attempts(1)
        .build()
        .unwrap();
    let empty = view::html(&callhome);
    assert!(empty.contains("telemetry: on (default)") && empty.contains("No report was accepted"));
    assert!(callhome.status().last_report().is_none());
    metrics::with_local_recorder(callhome.recorder(), || {
        counter!("usage.orders").increment(41);
        histogram!("usage.rows").record(3.0);
    });
    let sent = callhome.flush().unwrap();
    metrics::with_local_recorder(callhome.recorder(), || counter!("usage.orders").increment(7));
    clock.advance(Duration::from_secs(1));
    let preview = callhome.preview();
    let page = view::html(&callhome);
    let escape = |text: &str| text.replace('"', "&quot;");
    let bodies: Vec<&str> =
        page.split("<pre>").skip(1).map(|p| p.split("</pre>").next().unwrap()).collect();
    assert_eq!(bodies, [escape(preview.body()), escape(sent.body())]);
    assert_eq!(sink.bodies(), [sent.body().as_bytes()]);
    assert_eq!(callhome.status().last_report().unwrap().body(), sent.body());
    for words in [
        "<th scope=\"row\">orders</th><td class=\"value\">7</td><td class=\"soft\">Orders placed</td>",
        "<h3>usage</h3>",
        "<svg role=\"img\"",
        "<span class=\"soft\">bytes</span>",
        "<th scope=\"row\">reports accepted</th><td class=\"value\">1</td>",
        "<td class=\"value\">none is due</td>",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    assert_eq!(view::html(&callhome), page, "looking changes nothing");

    sink.answer(|_| Err(SendError::refused("not today")));
    callhome.flush().unwrap_err();
    let page = view::html(&callhome);
    for words in ["refused for good: not today", "reports_refused</th><td class=\"value\">1<"] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let last = callhome.status();
    assert_eq!(last.last_report().unwrap().id(), sent.id(), "that was accepted");
}

#[test]
fn where_nothing_is_collected_nothing_is_shown_or_asked() {
    let sink = MemorySink::new();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let count = std::sync::Arc::clone(&asked);
    let schema = Schema::new("shop")
        .fact_with("n", move || count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let callhome = CallHome::builder(schema).sink(sink).opt_out().build().unwrap();
    callhome.flush().unwrap();
    let before = asked.load(std::sync::atomic::Ordering::Relaxed);
    callhome.set_enabled(false).unwrap();
    let page = view::html(&callhome);
    assert!(page.contains("telemetry: off (switched off while running)"), "{page}");
    assert!(page.contains("Nothing is collected and nothing is sent."), "{page}");
    assert!(!page.contains("<pre>"), "what was sent before is forgotten: {page}");
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), before);
}

#[test]
fn of_events_the_last_body_is_shown_and_no_next_one() {
    let command = Schema::new("command").given("name");
    let callhome = CallHome::builder(Schema::new("cli")).event(command).opt_out();
    let callhome = callhome.sink(MemorySink::new()).build().unwrap();
    callhome.event("command").set("name", "migrate").send().unwrap();
    let sent = callhome.flush().unwrap();
    let page = view::html(&callhome);
    assert!(page.contains("each is sent when something happens"), "{page}");
    assert!(!page.contains("The next report"), "{page}");
    let bodies: Vec<&str> = page.split("<pre>").skip(1).collect();
    let [last] = bodies[..] else { panic!("{page}") };
    assert!(last.starts_with(&sent.body().replace('"', "&quot;")), "{page}");
}

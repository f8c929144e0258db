//! The kit for tests: that it sees what it should, and that it fails where it should.

use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use callhome::testing::{MemorySink, Snapshot, VirtualClock, assert_no_network};
use callhome::{CallHome, Schema, assert_report};
use metrics::{counter, histogram};
use serde_json::json;

/// What a failed assertion says.
fn message<T>(failing: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(failing)).err().expect("it should have failed");
    panic.downcast_ref::<String>().expect("a message").clone()
}

fn schema() -> Schema {
    Schema::new("shop")
        .instance_id("id")
        .section("usage", |s| s.counter("orders").summary("basket").gauge("stock"))
        .series("errors", |s| s.seen("kind"))
}

#[test]
fn a_report_is_read_by_its_data_and_a_body_as_a_whole() {
    let sink = MemorySink::new();
    let t = CallHome::builder(schema()).sink(sink.clone()).opt_out().build().unwrap();
    metrics::with_local_recorder(t.recorder(), || {
        counter!("usage.orders").increment(3);
        histogram!("usage.basket").record(19.5);
        counter!("errors", "kind" => "io").increment(2);
    });
    let report = t.flush().unwrap();
    assert_report!(report,
        "usage.orders" == 3,
        "usage.basket" == json!({"max": 19.5, "mean": 19.5, "median": 19.5, "min": 19.5, "mode": 19.5}),
        "usage.basket.max" < 20,
        "usage.stock" == (),
        "errors[kind=io].value" >= 2.0,
        "errors.1" absent,
    );
    assert_report!(&sink.documents()[0], "sequence" == 1, "data.usage.orders" == 3);
    assert_report!(report.body(), "data.usage.orders" == 3);
    assert_report!(sink.bodies()[0], "report_id" == report.id(), "data.id" != report.id());

    for (failed, wanted) in [
        (
            message(|| assert_report!(report, "usage.orders" == 4)),
            "`usage.orders` is 3, and should be == 4",
        ),
        (message(|| assert_report!(report, "usage.orders" absent)), "should not be there"),
        (message(|| assert_report!(report, "id" == "me", "usage.orders" == 3)), "`id` is "),
        (
            message(|| assert_report!(report, "usage.order" == 3)),
            "nothing is at `usage.order`; near it is {\n",
        ),
        (message(|| assert_report!("data: 3", "data" == 3)), "no JSON"),
    ] {
        assert!(failed.contains(wanted), "{failed}");
    }
}

#[test]
fn a_snapshot_is_the_same_in_each_run() {
    let snapshot = |kinds: [&'static str; 2]| {
        let sink = MemorySink::new();
        let clock = VirtualClock::new();
        let t = CallHome::builder(schema()).sink(sink.clone()).clock(clock.clone()).opt_out();
        let t = t.build().unwrap();
        metrics::with_local_recorder(t.recorder(), || {
            counter!("usage.orders").increment(3);
            kinds.into_iter().for_each(|kind| counter!("errors", "kind" => kind).increment(1));
        });
        t.flush().unwrap();
        Snapshot::of(&sink.documents()[0]).redact("schema_id").to_string()
    };
    let text = snapshot(["io", "late"]);
    assert_eq!(text, snapshot(["late", "io"]));
    callhome::assert_page_current!("tests/snapshots/shop.json", text);
}

#[test]
fn the_network_is_seen_however_it_is_used() {
    assert!(assert_no_network(|url| url.starts_with("http://127.0.0.1:")));
    let silent = |url: &str| drop(TcpStream::connect(host(url)).unwrap());
    assert!(message(|| assert_no_network(silent)).contains("\"nothing\""));
    let elsewhere = |url: &str| {
        let host = host(url).to_owned();
        thread::spawn(move || drop(TcpStream::connect(host).unwrap())).join().unwrap();
    };
    assert!(message(|| assert_no_network(elsewhere)).contains("\"nothing\""));
}

fn host(url: &str) -> &str {
    url.trim_start_matches("http://").trim_end_matches('/')
}

#[cfg(feature = "http")]
mod http {
    use std::time::Duration;

    use callhome::testing::{Answer, HttpReceiver};

    use super::*;

    /// An aggregator with all that may come in its way.
    fn live(url: &str, may: bool) {
        let t =
            CallHome::builder(schema()).endpoint(url).opt_out().setting("--telemetry", Some(may));
        let t = t.build().unwrap();
        metrics::with_local_recorder(t.recorder(), || counter!("usage.orders").increment(3));
        let _ = t.flush();
        let _ = t.shutdown(Duration::from_secs(30));
    }

    #[test]
    fn a_switch_that_says_no_is_off() {
        assert_no_network(|url| live(url, false));
        let failed = message(|| assert_no_network(|url| live(url, true)));
        assert!(failed.contains("POST / HTTP/1.1"), "{failed}");
    }

    #[test]
    fn a_receiver_answers_by_its_script_and_the_last_answer_stays() {
        let receiver = HttpReceiver::scripted([
            Answer::status(503).header("Retry-After", "60").body("busy"),
            Answer::nothing(),
            204.into(),
        ]);
        let clock = VirtualClock::new();
        let t = CallHome::builder(schema())
            .endpoint(&receiver.url("/v1/reports"))
            .clock(clock.clone())
            .opt_out()
            .build()
            .unwrap();
        metrics::with_local_recorder(t.recorder(), || counter!("usage.orders").increment(3));
        let failed = t.flush().unwrap_err().to_string();
        assert!(failed.contains("503"), "{failed}");
        let first = receiver.request();
        assert_eq!(first.line, "POST /v1/reports HTTP/1.1");
        assert_eq!(first.header("content-type"), ["application/json"]);
        assert_report!(first, "data.usage.orders" == 3);

        clock.advance(Duration::from_secs(60));
        assert!(t.flush().is_err(), "no answer");
        assert_eq!(receiver.request().body, first.body);
        clock.advance(Duration::from_secs(3600));
        assert!(t.flush().is_ok());
        assert_eq!(receiver.request().body, first.body);
        assert_report!(receiver.request(), "data.usage.orders" == 0);
    }

    #[test]
    fn a_silent_receiver_takes_the_request_and_the_time() {
        let receiver = HttpReceiver::answering(Answer::silence());
        let t = CallHome::builder(schema()).endpoint(&receiver.url("/")).opt_out();
        let t = t.attempt_timeout(Duration::from_millis(200)).build().unwrap();
        let failed = t.flush().unwrap_err().to_string();
        assert!(failed.contains("127.0.0.1"), "{failed}");
        assert_report!(receiver.request(), "data.usage.orders" == 0);
    }
}

//! The header by which a receiver asks for less: what is read of it, and that it counts.

use std::time::Duration;

use callhome::sink::{Hints, Parcel, Sink};
use callhome::testing::{Answer, HttpReceiver, VirtualClock};
use callhome::{CallHome, Schema};
use proptest::prelude::*;

use super::{AMPLE, BODY, ID, sink};

/// What an answer with these headers asks for, and whether the report is accepted.
fn asked(server: &HttpReceiver) -> (Hints, bool) {
    let parcel = Parcel::new(ID, 1, BODY, AMPLE);
    let outcome = sink(&server.url("/")).send(&parcel);
    (parcel.hints(), outcome.is_ok())
}

#[test]
fn an_acceptance_may_ask_for_less_in_all_forms() {
    let (none, day) = (Hints::new(), Duration::from_secs(86_400));
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"; // 784111777
    for (header, hints) in [
        ("", none),
        ("Callhome: every=86400\r\n", none.with_every(day)),
        (
            "callhome: share=0.25;why=\"busy\", every=86400\r\n",
            none.with_every(day).with_share(0.25),
        ),
        ("CALLHOME: every=86400\r\nCallhome: share=1\r\n", none.with_every(day).with_share(1.0)),
        ("Callhome: until=@784198177, later=(a b)\r\n", none.with_pause(day)),
        ("Callhome: until=@784111777\r\n", none.with_pause(Duration::ZERO)),
        ("Callhome: until=@1\r\n", none.with_pause(Duration::ZERO)),
        ("Callhome: until=@9999999999\r\n", none.with_pause(Hints::LONGEST)),
        ("Callhome: every=99999999\r\n", none.with_every(Hints::LONGEST)),
    ] {
        for status in [200, 204, 299] {
            let answer = format!("HTTP/1.1 {status} x\r\n{date}{header}\r\n");
            assert_eq!(asked(&HttpReceiver::answering(answer)), (hints, true), "{header}");
        }
        for status in [400, 429, 503] {
            let answer = format!("HTTP/1.1 {status} x\r\n{date}{header}\r\n");
            assert_eq!(asked(&HttpReceiver::answering(answer)), (none, false), "{header}");
        }
    }
}

#[test]
fn what_the_kit_says_is_what_is_read() {
    let none = Hints::new();
    let hour = Duration::from_secs(3600);
    for hints in [none, none.with_every(hour), none.with_share(0.125).with_pause(hour)] {
        let server = HttpReceiver::answering(Answer::status(204).hints(hints));
        assert_eq!(asked(&server), (hints, true));
    }
}

#[test]
fn without_a_date_of_the_answer_the_own_clock_counts() {
    let (hints, _) =
        asked(&HttpReceiver::answering("HTTP/1.1 204 x\r\nCallhome: until=@1\r\n\r\n"));
    assert_eq!(hints, Hints::new().with_pause(Duration::ZERO));
}

#[test]
fn what_is_no_wish_asks_for_nothing() {
    let long = format!("every=86400, x=\"{}\"", "x".repeat(1024));
    for header in ["every=86400,", "every = 86400", "soon", "\u{e9}", "every=-1, share=7", &long] {
        let answer = Answer::status(204).header("Callhome", header);
        let (hints, accepted) = asked(&HttpReceiver::answering(answer));
        assert!(hints.is_empty() && accepted, "{header}");
    }
}

#[test]
fn reports_over_http_keep_to_it() {
    let clock = VirtualClock::new();
    let hour = Duration::from_secs(60 * 60);
    let busy = Answer::status(204)
        .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("Callhome", "until=@784198177");
    let receiver = HttpReceiver::scripted([busy, 204.into()]);
    let callhome = CallHome::builder(Schema::new("s").counter("n"))
        .endpoint(&receiver.url("/"))
        .clock(clock.clone())
        .opt_out()
        .every(hour)
        .spread(Duration::ZERO)
        .build()
        .unwrap();
    let attempts: Vec<u64> = (0..30)
        .map(|_| {
            metrics::with_local_recorder(callhome.recorder(), || {
                metrics::counter!("n").increment(1)
            });
            clock.advance(hour);
            callhome.tick();
            callhome.status().attempts()
        })
        .collect();
    let expected: Vec<u64> = [1; 24].into_iter().chain(2..=7).collect();
    assert_eq!(attempts, expected);
    let total: u64 = (0..7)
        .map(|_| {
            let report: serde_json::Value =
                serde_json::from_slice(&receiver.request().body).unwrap();
            report["data"]["n"].as_u64().unwrap()
        })
        .sum();
    assert_eq!((total, callhome.status().lost()), (30, 0));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_of_a_header_leave_the_report_accepted_and_ask_for_thirty_days_at_most(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>().prop_filter("a line", |b| !b"\r\n".contains(b)), 0..60),
            "(every|share|until)=@?-?[0-9]{0,16}[.]?[0-9]{0,4}".prop_map(String::into_bytes),
        ],
    ) {
        let head = b"HTTP/1.1 204 x\r\nCallhome: ";
        let answer = [&head[..], &bytes, b"\r\n\r\n"].concat();
        let receiver = HttpReceiver::start(move |_, stream| {
            let _ = std::io::Write::write_all(stream, &answer);
        });
        let (hints, accepted) = asked(&receiver);
        // A byte that no header has makes it no answer.
        let is_header = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 128..);
        prop_assert_eq!(accepted, bytes.iter().all(is_header));
        prop_assert!(hints.every().is_none_or(|every| every <= Hints::LONGEST));
        prop_assert!(hints.pause().is_none_or(|pause| pause <= Hints::LONGEST));
        prop_assert!(hints.share().is_none_or(|share| (0.0..=1.0).contains(&share)));
    }
}

//! The HTTP sink against receivers that answer well, badly, too much, or not at all.
#![cfg(feature = "http")]

#[path = "sink_http/answers.rs"]
mod answers;
#[path = "sink_http/certificates.rs"]
mod certificates;
#[path = "sink_http/faults.rs"]
mod faults;
#[cfg(feature = "gzip")]
#[path = "sink_http/gzip.rs"]
mod gzip;
#[path = "sink_http/headers.rs"]
mod headers;
#[path = "sink_http/hints.rs"]
mod hints;
#[path = "sink_http/proxies.rs"]
mod proxies;
#[path = "sink_http/redirects.rs"]
mod redirects;
#[path = "sink_http/resets.rs"]
mod resets;
#[path = "sink_http/settings.rs"]
mod settings;
#[path = "sink_http/stalls.rs"]
mod stalls;
mod support;
#[cfg(target_os = "linux")]
#[path = "sink_http/threads.rs"]
mod threads;
#[path = "sink_http/tls.rs"]
mod tls;

use std::time::{Duration, Instant};

use callhome::sink::{Fault, HttpSink, Parcel, SendError, Sink};
use support::SOON;

const ID: &str = "0d1f5c0e-8a54-4b8e-9a7e-6a0f5d0f2c11";
const BODY: &[u8] = "{\"product\":\"caf\u{e9}\",\"n\":3}".as_bytes();

/// Enough for any exchange on this machine; used where no timeout is expected.
const AMPLE: Duration = SOON;

/// Used where the timeout is what is tested.
const SHORT: Duration = Duration::from_millis(300);

fn sink(url: &str) -> HttpSink {
    HttpSink::new(url).expect("a usable URL")
}

fn send(url: &str, timeout: Duration) -> Result<(), SendError> {
    sink(url).send(&Parcel::new(ID, 1, BODY, timeout))
}

/// What the caller decides by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    /// Try again; the receiver does not have it.
    Retry,
    /// Try again; the receiver may have it.
    RetryMaybe,
    /// Lost.
    Refused,
}

/// What came of an attempt that must not succeed.
#[track_caller]
fn verdict(outcome: Result<(), SendError>) -> (Class, Fault) {
    let error = outcome.expect_err("must not be taken for success");
    let class = match (error.is_retryable(), error.maybe_delivered()) {
        (true, false) => Class::Retry,
        (true, true) => Class::RetryMaybe,
        (false, false) => Class::Refused,
        (false, true) => panic!("refused and yet maybe delivered: {error}"),
    };
    (class, error.fault())
}

/// Sends with [`SHORT`] and checks that this is the order of magnitude of what it takes, with room
/// for a busy machine.
#[track_caller]
fn verdict_in_time(sink: &HttpSink, body: &[u8]) -> (Class, Fault) {
    let start = Instant::now();
    let verdict = verdict(sink.send(&Parcel::new(ID, 1, body, SHORT)));
    assert!(start.elapsed() < SOON / 3, "took {:?}", start.elapsed());
    verdict
}

/// More than the buffers of both sockets take, so the client is still writing when something
/// happens to it.
fn large_body() -> Vec<u8> {
    vec![b'x'; 64 << 20]
}

//! What is left of an attempt when it has ended: nothing.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::time::Instant;

use callhome::sink::{Fault, HttpSink, Parcel, Sink};
use callhome::testing::{HttpReceiver, until_closed};

use super::support::apart::apart;
use super::support::{SOON, trickle};
use super::{BODY, ID, SHORT, large_body, sink};

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

fn sockets() -> usize {
    let files = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let links = files.filter_map(|file| fs::read_link(file.path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

#[test]
fn no_thread_and_no_socket_outlives_an_attempt() {
    apart("threads::no_thread_and_no_socket_outlives_an_attempt", || {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let silent = HttpReceiver::start(|_, stream| until_closed(stream));
        let deaf = HttpReceiver::raw(|mut stream| until_closed(&mut stream));
        let broken = HttpReceiver::answering("HTTP/1.1 20");
        let rude = HttpReceiver::raw(|mut stream| {
            let _ = stream.write_all(b"no TLS");
            until_closed(&mut stream);
        });
        let busy = HttpReceiver::answering("HTTP/1.1 503 x\r\nContent-Length: 20\r\n\r\nonly half");
        let slow = HttpReceiver::start(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Filler: ");
            trickle(stream, std::iter::repeat(b'x'));
        });
        let plain = |url: &str| HttpSink::allowing_plain_http(url).unwrap();
        let cases = [
            (plain(&format!("http://{closed}/")), Fault::Connect),
            (plain("http://callhome.invalid/"), Fault::NameLookup),
            (plain(&silent.url("/")), Fault::Timeout),
            (plain(&slow.url("/")), Fault::Timeout),
            (plain(&broken.url("/")), Fault::Broken),
            (plain(&busy.url("/")), Fault::Status),
            (sink(&format!("https://{}/", deaf.address())), Fault::Timeout),
            (sink(&format!("https://{}/", rude.address())), Fault::Tls),
        ];
        let large = large_body();
        for (sink, fault) in cases {
            for body in [BODY, &large] {
                let before = (threads(), sockets());
                let error = sink.send(&Parcel::new(ID, 1, body, SHORT)).expect_err("no success");
                assert!(error.is_retryable());
                // The large body meets some of these faults while it is written.
                if body.len() == BODY.len() {
                    assert_eq!(error.fault(), fault, "{error}");
                }
                // The receiver sees the end of its connection a moment later, and a thread that has
                // told what it found has yet to end.
                let start = Instant::now();
                while (threads(), sockets()) != before {
                    assert!(
                        start.elapsed() < SOON,
                        "{fault}: {before:?} {} {}",
                        threads(),
                        sockets()
                    );
                    std::thread::yield_now();
                }
            }
        }
    });
}

//! Receivers that take their time, or never end: the timeout holds.

use std::io::{Read, Write};
use std::iter;
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use callhome::sink::{Fault, Parcel, Sink};
use callhome::testing::{HttpReceiver, until_closed};

use super::support::{SOON, endlessly, trickle};
use super::{AMPLE, BODY, Class, ID, large_body, send, sink, verdict, verdict_in_time};

#[test]
fn silence_after_the_request_ends_with_the_timeout() {
    let server = HttpReceiver::start(|_, stream| until_closed(stream));
    assert_eq!(verdict_in_time(&sink(&server.url("/")), BODY), (Class::RetryMaybe, Fault::Timeout));
    assert_eq!(server.request().body, BODY, "it did arrive");
}

#[test]
fn a_receiver_that_reads_nothing_ends_with_the_timeout() {
    let (hold, held) = mpsc::channel::<()>();
    let server = HttpReceiver::raw(move |stream| {
        let _ = held.recv();
        drop(stream);
    });
    // Without its end the receiver cannot have the report.
    let verdict = verdict_in_time(&sink(&server.url("/")), &large_body());
    assert_eq!(verdict, (Class::Retry, Fault::Timeout));
    drop(hold);
}

#[test]
fn endless_headers_are_cut_off() {
    for (start, piece) in [
        ("HTTP/1.1 200 OK\r\n", &b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"[..]),
        ("HTTP/1.1 200 OK\r\nX-Filler: ", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ] {
        let server = HttpReceiver::start(move |_, stream| {
            let _ = stream.write_all(start.as_bytes());
            endlessly(stream, piece);
        });
        let began = Instant::now();
        let verdict = verdict(send(&server.url("/"), AMPLE));
        assert_eq!(verdict, (Class::RetryMaybe, Fault::Broken));
        assert!(began.elapsed() < AMPLE / 3, "took {:?}", began.elapsed());
        server.request();
    }
}

#[test]
fn endless_interim_answers_end_at_the_latest_with_the_timeout() {
    for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n"] {
        let server = HttpReceiver::start(move |_, stream| {
            endlessly(stream, interim.as_bytes());
        });
        assert_eq!(
            verdict_in_time(&sink(&server.url("/")), BODY),
            (Class::RetryMaybe, Fault::Timeout)
        );
    }
}

#[test]
fn a_trickling_answer_does_not_stretch_the_timeout() {
    let server = HttpReceiver::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Filler: ");
        trickle(stream, iter::repeat(b'x'));
    });
    assert_eq!(verdict_in_time(&sink(&server.url("/")), BODY), (Class::RetryMaybe, Fault::Timeout));
}

#[test]
fn a_receiver_that_reads_little_by_little_does_not_stretch_the_timeout_by_much() {
    let server = HttpReceiver::raw(|stream| {
        let (_never, pause) = mpsc::channel::<()>();
        let mut input = &stream;
        let mut piece = [0; 4096];
        while input.read(&mut piece).is_ok_and(|n| n > 0) {
            let _ = pause.recv_timeout(Duration::from_millis(20));
        }
    });
    let verdict = verdict_in_time(&sink(&server.url("/")), &large_body());
    assert_eq!(verdict, (Class::Retry, Fault::Timeout));
}

#[test]
fn a_byte_at_a_time_both_ways_ends_with_the_timeout() {
    let server = || {
        HttpReceiver::raw(|stream| {
            let (_never, pause) = mpsc::channel::<()>();
            let mut stream = &stream;
            let mut answer = b"HTTP/1.1 200 OK\r\nX-Filler: ".iter().chain(iter::repeat(&b'x'));
            let mut byte = [0];
            while answer.next().is_some_and(|byte| stream.write_all(&[*byte]).is_ok()) {
                let _ = stream.read(&mut byte);
                let _ = pause.recv_timeout(Duration::from_millis(5));
            }
        })
    };
    let verdict = |body| verdict_in_time(&sink(&server().url("/")), body);
    assert_eq!(verdict(BODY), (Class::RetryMaybe, Fault::Timeout));
    assert_eq!(verdict(&large_body()), (Class::Retry, Fault::Timeout));
}

#[test]
fn an_answer_that_comes_too_late_is_none() {
    let (count, counted) = mpsc::channel();
    let mut late = true;
    let server = HttpReceiver::start(move |_, stream| {
        if std::mem::take(&mut late) {
            until_closed(stream);
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let _ = count.send(());
    });
    let sink = sink(&server.url("/"));
    assert_eq!(verdict_in_time(&sink, BODY), (Class::RetryMaybe, Fault::Timeout));
    counted.recv_timeout(SOON).expect("the late answer is written");
    sink.send(&Parcel::new(ID, 2, BODY, AMPLE)).expect("accepted");
    for _ in 0..2 {
        let request = server.request();
        assert_eq!((request.header("idempotency-key"), request.body.as_slice()), (vec![ID], BODY));
    }
}

#[test]
fn a_trickling_tls_handshake_does_not_stretch_the_timeout() {
    let server = HttpReceiver::raw(|mut stream| {
        // A handshake record of 16 KiB that takes longer than the test.
        let _ = stream.write_all(&[0x16, 3, 3, 0x3f, 0xff]);
        trickle(&mut stream, iter::repeat(2));
    });
    assert_eq!(
        verdict_in_time(&sink(&format!("https://{}/", server.address())), BODY),
        (Class::Retry, Fault::Timeout)
    );
}

#[test]
fn tls_that_is_never_answered_ends_with_the_timeout() {
    let server = HttpReceiver::raw(|mut stream| until_closed(&mut stream));
    assert_eq!(
        verdict_in_time(&sink(&format!("https://{}/", server.address())), BODY),
        (Class::Retry, Fault::Timeout)
    );
}

#[test]
fn no_time_means_no_attempt() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("non-blocking");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    assert_eq!(verdict(send(&url, Duration::ZERO)), (Class::Retry, Fault::Timeout));
    let nobody = listener.accept().expect_err("nobody came");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn all_the_time_there_is_is_no_overflow() {
    let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
    send(&server.url("/"), Duration::MAX).expect("accepted");
}

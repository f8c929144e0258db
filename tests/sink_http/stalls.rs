//! Receivers that take their time, or never end: the timeout holds.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use callhome::sink::{Parcel, Sink};

use super::support::{SOON, Server, endlessly, trickle, until_closed};
use super::{AMPLE, BODY, Class, ID, SHORT, class, class_in_time, send, sink};

#[test]
fn silence_after_the_request_ends_with_the_timeout() {
    let server = Server::start(|_, stream| until_closed(stream));
    assert_eq!(class_in_time(&server.url("/")), Class::RetryMaybe);
    assert_eq!(server.request().body, BODY, "it did arrive");
}

#[test]
fn a_receiver_that_reads_nothing_ends_with_the_timeout() {
    // More than the buffers of both sockets take, so the client is stopped while writing.
    let body = vec![b'x'; 64 << 20];
    let (hold, held) = mpsc::channel::<()>();
    let server = Server::raw(move |stream| {
        let _ = held.recv();
        drop(stream);
    });
    let start = Instant::now();
    let outcome = sink(&server.url("/")).send(&Parcel::new(ID, 1, &body, SHORT));
    assert!(start.elapsed() < SOON / 3, "took {:?}", start.elapsed());
    // Without its end the receiver cannot have the report.
    assert_eq!(class(outcome), Class::Retry);
    drop(hold);
}

#[test]
fn endless_headers_are_cut_off() {
    for (start, piece) in [
        ("HTTP/1.1 200 OK\r\n", &b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"[..]),
        ("HTTP/1.1 200 OK\r\nX-Filler: ", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ] {
        let server = Server::start(move |_, stream| {
            let _ = stream.write_all(start.as_bytes());
            endlessly(stream, piece);
        });
        let began = Instant::now();
        assert_eq!(class(send(&server.url("/"), AMPLE)), Class::RetryMaybe);
        assert!(began.elapsed() < AMPLE / 3, "took {:?}", began.elapsed());
        server.request();
    }
}

#[test]
fn endless_interim_answers_end_at_the_latest_with_the_timeout() {
    for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n"] {
        let server = Server::start(move |_, stream| {
            endlessly(stream, interim.as_bytes());
        });
        assert_eq!(class_in_time(&server.url("/")), Class::RetryMaybe);
    }
}

#[test]
fn a_trickling_answer_does_not_stretch_the_timeout() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Filler: ");
        trickle(stream, std::iter::repeat(b'x'));
    });
    assert_eq!(class_in_time(&server.url("/")), Class::RetryMaybe);
}

#[test]
fn a_receiver_that_reads_little_by_little_does_not_stretch_the_timeout_by_much() {
    let body = vec![b'x'; 64 << 20];
    let server = Server::raw(|stream| {
        let (_never, pause) = mpsc::channel::<()>();
        let mut input = &stream;
        let mut piece = [0; 4096];
        while input.read(&mut piece).is_ok_and(|n| n > 0) {
            let _ = pause.recv_timeout(Duration::from_millis(20));
        }
    });
    let start = Instant::now();
    let outcome = sink(&server.url("/")).send(&Parcel::new(ID, 1, &body, SHORT));
    assert!(start.elapsed() < SOON / 3, "took {:?}", start.elapsed());
    assert_eq!(class(outcome), Class::Retry);
}

#[test]
fn a_trickling_tls_handshake_does_not_stretch_the_timeout() {
    let server = Server::raw(|mut stream| {
        // A handshake record of 16 KiB that takes longer than the test.
        let _ = stream.write_all(&[0x16, 3, 3, 0x3f, 0xff]);
        trickle(&mut stream, std::iter::repeat(2));
    });
    assert_eq!(class_in_time(&format!("https://{}/", server.address)), Class::Retry);
}

#[test]
fn tls_that_is_never_answered_ends_with_the_timeout() {
    let server = Server::raw(|mut stream| until_closed(&mut stream));
    assert_eq!(class_in_time(&format!("https://{}/", server.address)), Class::Retry);
}

#[test]
fn no_time_means_no_attempt() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("non-blocking");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    assert_eq!(class(send(&url, Duration::ZERO)), Class::Retry);
    let nobody = listener.accept().expect_err("nobody came");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn all_the_time_there_is_is_no_overflow() {
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n");
    send(&server.url("/"), Duration::MAX).expect("accepted");
}

//! Connections that are reset, at every moment of an exchange.
//!
//! A socket that is closed with bytes unread resets its connection.

use std::io::{Read, Write};
use std::net::TcpStream;

use callhome::sink::{Fault, Parcel, Sink};
use callhome::testing::HttpReceiver;

use super::{AMPLE, BODY, Class, ID, large_body, send, sink, verdict};

/// Waits for bytes without taking them.
fn leave_unread(stream: &TcpStream) {
    let _ = stream.peek(&mut [0; 1]);
}

/// Takes the request but for the last byte of [`BODY`], which is there and stays unread.
fn leave_the_last_byte(mut stream: &TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(&BODY[..BODY.len() - 1]) && stream.read(&mut byte).is_ok_and(|n| n > 0) {
        seen.extend(byte);
    }
    leave_unread(stream);
}

#[test]
fn before_the_body() {
    let server = HttpReceiver::raw(|stream| leave_unread(&stream));
    let outcome = sink(&server.url("/")).send(&Parcel::new(ID, 1, &large_body(), AMPLE));
    assert_eq!(verdict(outcome), (Class::Retry, Fault::Broken));
    // A body that fits into the buffers may be written before the reset arrives.
    let (class, fault) = verdict(send(&server.url("/"), AMPLE));
    assert!(class != Class::Refused && fault == Fault::Broken, "{class:?} {fault}");
}

#[test]
fn within_the_body() {
    let server = HttpReceiver::raw(|mut stream| {
        let _ = stream.read_exact(&mut vec![0; 1 << 20]);
        leave_unread(&stream);
    });
    let outcome = sink(&server.url("/")).send(&Parcel::new(ID, 1, &large_body(), AMPLE));
    assert_eq!(verdict(outcome), (Class::Retry, Fault::Broken));
}

#[test]
fn after_the_body() {
    let server = HttpReceiver::raw(|stream| leave_the_last_byte(&stream));
    assert_eq!(verdict(send(&server.url("/"), AMPLE)), (Class::RetryMaybe, Fault::Broken));
}

#[test]
fn within_the_answer() {
    for piece in ["HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Len"] {
        let server = HttpReceiver::raw(|mut stream| {
            leave_the_last_byte(&stream);
            let _ = stream.write_all(piece.as_bytes());
        });
        assert_eq!(verdict(send(&server.url("/"), AMPLE)), (Class::RetryMaybe, Fault::Broken));
    }
}

#[test]
fn after_the_answer() {
    // The reset may overtake the answer, but never turn one into a refusal.
    let server = HttpReceiver::raw(|mut stream| {
        leave_the_last_byte(&stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    if let Err(error) = send(&server.url("/"), AMPLE) {
        assert_eq!(verdict(Err(error)), (Class::RetryMaybe, Fault::Broken));
    }
}

//! Answers: what the status and the headers mean, and that the body does not matter.

use std::io::Write;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use callhome::sink::{Fault, Parcel, Sink};
use callhome::testing::{HttpReceiver, until_closed};

use super::support::{SOON, endlessly, trickle};
use super::{AMPLE, BODY, Class, ID, send, sink, verdict};

#[test]
fn the_request_arrives_intact() {
    let server = HttpReceiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    send(&server.url("/v1/reports?key=1"), AMPLE).expect("accepted");
    let request = server.request();
    assert_eq!(request.line, "POST /v1/reports?key=1 HTTP/1.1");
    assert_eq!(request.body, BODY);
    assert_eq!(request.header("host"), [server.address()]);
    assert_eq!(request.header("content-type"), ["application/json"]);
    assert_eq!(request.header("content-length"), [BODY.len().to_string()]);
    assert_eq!(request.header("idempotency-key"), [ID]);
    assert_eq!(request.header("connection"), ["close"]);
    let agent = concat!("callhome/", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), [agent]);
    for absent in ["transfer-encoding", "expect", "cookie", "authorization"] {
        assert_eq!(request.header(absent), [""; 0], "{absent}");
    }
}

#[test]
fn every_attempt_carries_the_same_id_and_bytes_on_a_connection_of_its_own() {
    let server = HttpReceiver::start(|_, stream| {
        let _ =
            stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n\r\n");
        // Only the client can end this: it must not keep the connection.
        until_closed(stream);
    });
    let sink = sink(&server.url("/"));
    for attempt in 1..=3 {
        let outcome = sink.send(&Parcel::new(ID, attempt, BODY, AMPLE));
        assert_eq!(verdict(outcome), (Class::Retry, Fault::Status));
        let request = server.request();
        assert_eq!(request.header("idempotency-key"), [ID]);
        assert_eq!(request.body, BODY);
        assert_eq!(request.header("cookie"), [""; 0]);
    }
}

#[test]
fn a_large_body_arrives_intact() {
    let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    sink(&server.url("/")).send(&Parcel::new(ID, 1, &body, AMPLE)).expect("accepted");
    assert!(server.request().body == body);
}

#[test]
fn every_status_means_what_the_table_says() {
    let mut status = 99;
    let server = HttpReceiver::start(move |_, stream| {
        status += 1;
        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes());
    });
    let sink = sink(&server.url("/"));
    for status in 100..=599 {
        let outcome = sink.send(&Parcel::new(ID, 1, BODY, AMPLE));
        if let 200..=299 = status {
            assert_eq!(outcome, Ok(()), "{status}");
            continue;
        }
        let error = outcome.expect_err("no success");
        let final_status = !matches!(status, 100 | 102..=199);
        assert_eq!(error.status(), final_status.then_some(status), "{error}");
        let expected = match status {
            // Only the announcement of an answer that never comes.
            100 | 102..=199 => (Class::RetryMaybe, Fault::Broken),
            408 | 425 | 429 | 500..=599 => (Class::Retry, Fault::Status),
            _ => (Class::Refused, Fault::Status),
        };
        assert_eq!(verdict(Err(error)), expected, "{status}");
    }
}

#[test]
fn retry_after_is_passed_on_in_all_its_forms() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    for (header, wait) in [
        ("", None),
        ("Retry-After: 0\r\n", Some(0)),
        ("Retry-After: 3600\r\n", Some(3600)),
        ("Retry-After: 31536000\r\n", Some(31_536_000)),
        ("Retry-After: 99999999999999999999\r\n", Some(u32::MAX.into())),
        ("Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n", Some(60)),
        ("Retry-After: Mon, 06 Nov 1995 08:49:37 GMT\r\n", Some(31_536_000)),
        ("Retry-After: Sat, 05 Nov 1994 08:49:37 GMT\r\n", Some(0)),
        ("Retry-After: in a while\r\n", None),
        ("Retry-After: -1\r\n", None),
        ("Retry-After: \r\n", None),
    ] {
        for status in [429, 503] {
            let server = HttpReceiver::answering(format!(
                "HTTP/1.1 {status} x\r\n{date}{header}Content-Length: 0\r\n\r\n"
            ));
            let error = send(&server.url("/"), AMPLE).expect_err("no success");
            assert_eq!(error.retry_after(), wait.map(Duration::from_secs), "{status} {header}");
            assert_eq!(error.status(), Some(status));
            assert_eq!(verdict(Err(error)), (Class::Retry, Fault::Status));
        }
    }
}

#[test]
fn interim_answers_are_waited_out() {
    let server = HttpReceiver::answering(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n\
         HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    );
    send(&server.url("/"), AMPLE).expect("accepted");
}

#[test]
fn switching_protocols_is_no_success() {
    let server = HttpReceiver::answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    let outcome = send(&server.url("/"), AMPLE);
    assert_eq!(verdict(outcome), (Class::Refused, Fault::Status));
}

// Bodies of answers: the status has settled the report.

#[test]
fn an_unfinished_body_does_not_undo_a_success() {
    for (headers, body) in [
        ("Content-Length: 1000", "only the beginning"),
        ("Transfer-Encoding: chunked", "3e8\r\nonly the beginning"),
        ("Transfer-Encoding: chunked", "this is no chunk"),
        ("X: no length at all", "until the end"),
    ] {
        let server = HttpReceiver::answering(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{body}"));
        assert_eq!(send(&server.url("/"), AMPLE), Ok(()), "{headers}: {body}");
    }
}

#[test]
fn a_body_that_never_comes_does_not_delay_a_success_by_much() {
    let server = HttpReceiver::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        until_closed(stream);
    });
    let start = Instant::now();
    send(&server.url("/"), AMPLE).expect("accepted");
    assert!(start.elapsed() < AMPLE / 3, "took {:?}", start.elapsed());
}

#[test]
fn a_trickling_body_does_not_delay_a_success_by_much() {
    let server = HttpReceiver::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        trickle(stream, std::iter::repeat(b'x'));
    });
    let start = Instant::now();
    send(&server.url("/"), AMPLE).expect("accepted");
    assert!(start.elapsed() < AMPLE / 3, "took {:?}", start.elapsed());
}

#[test]
fn an_endless_body_is_cut_off() {
    for headers in [
        "X: no length",
        "Content-Length: 10000000000",
        "Transfer-Encoding: chunked\r\n\r\n2540be400",
    ] {
        let (count, counted) = mpsc::channel();
        let server = HttpReceiver::start(move |_, stream| {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\n{headers}\r\n\r\n");
            let _ = count.send(endlessly(stream, &[b'x'; 1024]));
        });
        let start = Instant::now();
        send(&server.url("/"), AMPLE).expect("accepted");
        assert!(start.elapsed() < AMPLE / 3, "took {:?}", start.elapsed());
        // What was written beyond 64 KiB lies in the buffers of both sockets, nowhere else.
        let written = counted.recv_timeout(SOON).expect("the client has closed the connection");
        assert!(written < 64 << 20, "{written} bytes were written");
    }
}

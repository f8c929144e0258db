//! Redirects: within the origin, and nowhere else.

use std::io::Write;
use std::net::TcpListener;

use callhome::sink::{Fault, Parcel, Sink};
use callhome::testing::{HttpReceiver, until_closed};

use super::{AMPLE, BODY, Class, ID, send, sink, verdict, verdict_in_time};

/// Redirects each request that is not for `end` to the next of `locations`, in turn.
fn redirecting(status: u16, locations: &'static [&'static str], end: &'static str) -> HttpReceiver {
    let mut locations = locations.iter().cycle();
    HttpReceiver::start(move |request, stream| {
        let head = if request.line.starts_with(&format!("POST {end} ")) {
            "HTTP/1.1 204 No Content".to_owned()
        } else {
            let location = locations.next().expect("one at least");
            format!("HTTP/1.1 {status} x\r\nLocation: {location}\r\nContent-Length: 0")
        };
        let _ = write!(stream, "{head}\r\n\r\n");
    })
}

#[test]
fn within_the_origin_the_same_request_is_sent_again() {
    for status in [307, 308] {
        let server = redirecting(status, &["/v2", "/v3?key=2", "/end"], "/end");
        let sink = sink(&server.url("/v1?key=1")).bearer("4711").expect("usable");
        sink.send(&Parcel::new(ID, 1, BODY, AMPLE)).expect("accepted");
        for path in ["/v1?key=1", "/v2", "/v3?key=2", "/end"] {
            let request = server.request();
            assert_eq!(request.line, format!("POST {path} HTTP/1.1"));
            assert_eq!(request.body, BODY);
            assert_eq!(request.header("idempotency-key"), [ID]);
            assert_eq!(request.header("authorization"), ["Bearer 4711"]);
        }
    }
}

#[test]
fn the_absolute_url_of_the_origin_is_followed() {
    let server = HttpReceiver::start(|request, stream| {
        let host = request.header("host")[0];
        let head = if request.line.starts_with("POST /end ") {
            "HTTP/1.1 204 No Content".to_owned()
        } else {
            format!("HTTP/1.1 308 x\r\nLocation: http://{host}/end\r\nContent-Length: 0")
        };
        let _ = write!(stream, "{head}\r\n\r\n");
    });
    send(&server.url("/"), AMPLE).expect("accepted");
}

#[test]
fn a_circle_ends() {
    let server = redirecting(307, &["/b", "/a"], "/end");
    let error = send(&server.url("/a"), AMPLE).expect_err("refused");
    let text = error.to_string();
    assert!(text.contains("more than 3 times") && text.contains("final URL"), "{text}");
    assert_eq!(error.status(), Some(307));
    assert_eq!(verdict(Err(error)), (Class::Refused, Fault::Status));
    for path in ["/a", "/b", "/a", "/b"] {
        assert_eq!(server.request().line, format!("POST {path} HTTP/1.1"));
    }
}

#[test]
fn another_origin_gets_nothing() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("non-blocking");
    let there = elsewhere.local_addr().expect("bound");
    for status in [301, 302, 303, 307, 308] {
        let server = HttpReceiver::answering(format!(
            "HTTP/1.1 {status} x\r\nLocation: http://{there}/secret\r\nContent-Length: 0\r\n\r\n"
        ));
        let sink = sink(&server.url("/")).bearer("4711").expect("usable");
        let error = sink.send(&Parcel::new(ID, 1, BODY, AMPLE)).expect_err("refused");
        let text = error.to_string();
        assert!(text.contains("final URL") && !text.contains("secret"), "{text}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(verdict(Err(error)), (Class::Refused, Fault::Status));
    }
    let nobody = elsewhere.accept().expect_err("nobody came");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_status_that_lets_the_method_change_is_not_followed() {
    for status in [301, 302, 303] {
        let server = redirecting(status, &["/end"], "/end");
        let outcome = send(&server.url("/"), AMPLE);
        assert_eq!(verdict(outcome), (Class::Refused, Fault::Status), "{status}");
    }
}

#[test]
fn all_requests_of_an_attempt_share_its_time() {
    let server = HttpReceiver::start(|request, stream| {
        if request.line.starts_with("POST /end ") {
            return until_closed(stream);
        }
        // The body of a redirect is waited for as that of any answer is.
        let _ = stream.write_all(b"HTTP/1.1 307 x\r\nLocation: /end\r\nContent-Length: 9\r\n\r\n");
        until_closed(stream);
    });
    // Waiting for the body of the first answer takes all the time there is.
    let verdict = verdict_in_time(&sink(&server.url("/")), BODY);
    assert_eq!(verdict, (Class::Retry, Fault::Timeout));
    assert_eq!(server.request().line, "POST / HTTP/1.1");
}

//! Faults before and instead of an answer.

use std::net::TcpListener;

use callhome::sink::{Fault, HttpSink, Parcel, Sink};
use callhome::testing::HttpReceiver;

use super::{AMPLE, BODY, Class, ID, send, sink, verdict};

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let error = send(&format!("http://{address}/secret?key=secret"), AMPLE).expect_err("refused");
    let text = error.to_string();
    assert!(text.contains(&address.to_string()) && !text.contains("secret"), "{text}");
    assert_eq!(verdict(Err(error)), (Class::Retry, Fault::Connect));
}

#[test]
fn no_such_host() {
    let sink = HttpSink::allowing_plain_http("http://callhome.invalid/").expect("usable");
    let error = sink.send(&Parcel::new(ID, 1, BODY, AMPLE)).expect_err("no such host");
    assert!(error.to_string().contains("callhome.invalid"), "{error}");
    assert_eq!(verdict(Err(error)), (Class::Retry, Fault::NameLookup));
}

#[test]
fn closed_before_an_answer() {
    let server = HttpReceiver::start(|_, _| ());
    assert_eq!(verdict(send(&server.url("/"), AMPLE)), (Class::RetryMaybe, Fault::Broken));
}

#[test]
fn closed_within_the_headers() {
    for piece in ["HTTP", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Len"] {
        let server = HttpReceiver::answering(piece);
        assert_eq!(
            verdict(send(&server.url("/"), AMPLE)),
            (Class::RetryMaybe, Fault::Broken),
            "{piece:?}"
        );
    }
}

#[test]
fn what_is_not_http_is_no_answer() {
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\r\n\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    ] {
        let server = HttpReceiver::answering(answer);
        assert_eq!(
            verdict(send(&server.url("/"), AMPLE)),
            (Class::RetryMaybe, Fault::Broken),
            "{answer:?}"
        );
    }
}

#[test]
fn an_id_that_is_no_header_value_is_refused() {
    let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let outcome = sink(&server.url("/secret")).send(&Parcel::new("a\r\nb: c", 1, BODY, AMPLE));
    let error = outcome.expect_err("refused");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(verdict(Err(error)), (Class::Refused, Fault::Other));
}

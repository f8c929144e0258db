//! TLS: who is trusted, and what becomes of a report for somebody who is not.

use std::io::Write;

use callhome::sink::{Fault, HttpSink, Parcel, Sink};
use callhome::testing::{HttpReceiver, Request, until_closed};

use super::certificates::{Authority, Identity, self_signed};
use super::support::SOON;
use super::{AMPLE, BODY, Class, ID, sink, verdict};

/// The year in which valid certificates end.
const VALID: i32 = 4000;

fn secure(server: &HttpReceiver) -> HttpSink {
    sink(&format!("https://{}/v1", server.address()))
}

/// Sends to a receiver that is not trusted, and checks that it gets no request.
#[track_caller]
fn not_trusted(identity: &Identity, trusting: impl FnOnce(HttpSink) -> HttpSink, word: &str) {
    let (server, requests) = identity.accepting();
    let sink = trusting(secure(&server));
    let error = sink.send(&Parcel::new(ID, 1, BODY, AMPLE)).expect_err("not trusted");
    assert!(error.to_string().contains(word), "{error}");
    assert_eq!(verdict(Err(error)), (Class::Retry, Fault::Tls));
    assert!(requests.try_recv().is_err(), "it got the report");
}

#[test]
fn a_report_goes_to_whom_an_own_authority_vouches_for() {
    let authority = Authority::new();
    let (server, requests) = authority.signs("127.0.0.1", VALID).accepting();
    let pem = authority.pem();
    let other = Authority::new().pem();
    for sink in [
        secure(&server).trusting(pem.as_bytes()),
        secure(&server).trusting_only(pem.as_bytes()),
        secure(&server).trusting(pem.as_bytes()).and_then(|s| s.trusting(other.as_bytes())),
        secure(&server).trusting_only(format!("{other}\n# both\n{pem}").as_bytes()),
    ] {
        let sink = sink.and_then(|sink| sink.bearer("4711")).expect("certificates");
        sink.send(&Parcel::new(ID, 1, BODY, AMPLE)).expect("accepted");
        let request = requests.recv_timeout(SOON).expect("the report");
        assert_eq!((request.line.as_str(), request.body.as_slice()), ("POST /v1 HTTP/1.1", BODY));
        assert_eq!(request.header("authorization"), ["Bearer 4711"]);
        assert_eq!(request.header("idempotency-key"), [ID]);
    }
}

#[test]
fn nobody_else_gets_it() {
    let authority = Authority::new();
    let pem = authority.pem();
    let trusting = |sink: HttpSink| sink.trusting(pem.as_bytes()).expect("certificates");
    not_trusted(&authority.signs("127.0.0.1", 2020), trusting, "xpired");
    not_trusted(&authority.signs("127.0.0.2", VALID), trusting, "not valid for name");
    not_trusted(&authority.signs("receiver.example", VALID), trusting, "not valid for name");
    not_trusted(&self_signed("127.0.0.1"), trusting, "certificate");
    let valid = authority.signs("127.0.0.1", VALID);
    not_trusted(&valid, |sink| sink, "UnknownIssuer");
    let other = Authority::new().pem();
    let replaced = |sink| trusting(sink).trusting_only(other.as_bytes()).expect("certificates");
    not_trusted(&valid, replaced, "certificate");
}

#[test]
fn a_port_without_tls() {
    let server = HttpReceiver::raw(|mut stream| {
        let _ = stream.peek(&mut [0; 1]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        until_closed(&mut stream);
    });
    let outcome = secure(&server).send(&Parcel::new(ID, 1, BODY, AMPLE));
    assert_eq!(verdict(outcome), (Class::Retry, Fault::Tls));
}

#[test]
fn closed_within_the_handshake() {
    let server = HttpReceiver::raw(|stream| {
        let _ = stream.peek(&mut [0; 1]);
    });
    let outcome = secure(&server).send(&Parcel::new(ID, 1, BODY, AMPLE));
    assert_eq!(verdict(outcome), (Class::Retry, Fault::Tls));
}

#[test]
fn closed_before_an_answer() {
    let authority = Authority::new();
    let server = authority.signs("127.0.0.1", VALID).serving(|stream| {
        let _ = Request::read(stream);
    });
    let sink = secure(&server).trusting(authority.pem().as_bytes()).expect("certificates");
    let outcome = sink.send(&Parcel::new(ID, 1, BODY, AMPLE));
    assert_eq!(verdict(outcome), (Class::RetryMaybe, Fault::Broken));
}

//! The application's headers: they arrive, and their values are seen nowhere else.

use std::sync::Mutex;

use callhome::sink::{Parcel, Sink};
use callhome::testing::HttpReceiver;

use super::certificates::Authority;
use super::support::SOON;
use super::support::apart::apart;
use super::{AMPLE, BODY, ID, send, sink};

/// In an odd place of any chunking there is a whole piece of it.
const SECRET: &str = "Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7";
const PIECE: &str = "zq7zq7";
/// The same as a log of bytes shows it.
const HEX: &str = "5a71375a7137";

#[test]
fn they_arrive_each_once_with_the_report() {
    let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let sink = sink(&server.url("/v1")).header("X-Key", "first").and_then(|s| s.bearer("4711"));
    let sink = sink.and_then(|s| s.header("x-key", "second one")).expect("usable");
    sink.send(&Parcel::new(ID, 1, BODY, AMPLE)).expect("accepted");
    let request = server.request();
    assert_eq!(request.line, "POST /v1 HTTP/1.1");
    assert_eq!(request.header("authorization"), ["Bearer 4711"]);
    assert_eq!(request.header("x-key"), ["second one"]);
    assert_eq!(request.header("idempotency-key"), [ID]);
    assert_eq!(request.body, BODY);
}

#[test]
fn a_name_and_a_password_arrive_as_the_rfc_has_them() {
    for (name, password, expected) in [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), // RFC 7617, section 2
        ("test", "123\u{a3}", "Basic dGVzdDoxMjPCow=="),                  // the same, section 2.1
        ("abc123", "", "Basic YWJjMTIzOg=="),
        ("key", "with:colon", "Basic a2V5OndpdGg6Y29sb24="),
    ] {
        let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
        let sink = sink(&server.url("/v1")).bearer("before").and_then(|s| s.basic(name, password));
        sink.expect("usable").send(&Parcel::new(ID, 1, BODY, AMPLE)).expect("accepted");
        assert_eq!(server.request().header("authorization"), [expected]);
    }
}

#[test]
fn more_than_the_client_writes_in_one_piece_arrives_too() {
    let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let long = "x".repeat(100_000);
    let sink = sink(&server.url("/")).header("X-Long", &long).expect("usable");
    sink.send(&Parcel::new(ID, 1, BODY, AMPLE)).expect("accepted");
    let request = server.request();
    assert_eq!(request.header("x-long"), [long]);
    assert_eq!(request.body, BODY);
}

#[test]
fn an_unusable_one_is_an_error_without_its_value() {
    let sink = || sink("https://collector.example.com/");
    for (outcome, named) in [
        (sink().bearer(&format!("{SECRET}\n")), "authorization"),
        (sink().bearer(""), "authorization"),
        (sink().basic(&format!("{SECRET}\n"), ""), "`basic`"),
        (sink().basic("key", &format!("{SECRET}\n")), "`basic`"),
        (sink().basic(&format!("{SECRET}:"), ""), "`basic`"),
        (sink().basic("", SECRET), "`basic`"),
        (sink().header("X-Key", &format!("{SECRET}\u{e9}")), "x-key"),
        (sink().header("Content-Length", SECRET), "content-length"),
        (sink().header("x key", SECRET), "x key"),
    ] {
        let error = outcome.expect_err("unusable");
        assert_eq!(error.kind(), callhome::ErrorKind::Config);
        let text = format!("{error} {error:?}");
        assert!(text.contains(named) && !text.contains(SECRET), "{text}");
    }
}

/// Keeps all lines of all levels.
struct Lines(Mutex<Vec<String>>);

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

static LINES: Lines = Lines(Mutex::new(Vec::new()));

#[test]
fn no_log_no_debug_and_no_error_shows_them() {
    apart("headers::no_log_no_debug_and_no_error_shows_them", || {
        log::set_logger(&LINES).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let mut shown = String::new();
        let mut try_it = |sink: callhome::sink::HttpSink| {
            let outcome = sink.send(&Parcel::new(ID, 1, BODY, AMPLE));
            shown.push_str(&format!("{sink:?} {sink:#?} {outcome:?} {}", sink.describe()));
            outcome
        };
        let with = |url: &str| sink(url).bearer(SECRET).and_then(|s| s.header("X-Key", SECRET));

        // Accepted, refused, broken; in the clear and within TLS.
        for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 401 x\r\n\r\n", "garbage"] {
            let server = HttpReceiver::answering(answer);
            let _ = try_it(with(&server.url("/")).unwrap());
            assert_eq!(server.request().header("x-key"), [SECRET]);
        }
        let authority = Authority::new();
        let (server, requests) = authority.signs("127.0.0.1", 4000).accepting();
        let url = format!("https://{}/", server.address());
        let _ = try_it(with(&url).unwrap());
        let trusting = with(&url).unwrap().trusting(authority.pem().as_bytes()).unwrap();
        try_it(trusting).unwrap();
        assert_eq!(requests.recv_timeout(SOON).unwrap().header("x-key"), [SECRET]);

        let lines = LINES.0.lock().unwrap();
        let all = format!("{}\n{shown}", lines.join("\n")).to_lowercase().replace(' ', "");
        assert!(!all.contains(PIECE) && !all.contains(HEX), "{all}");
        // The client does log requests, byte by byte: what it has to write is there.
        assert!(all.contains(&ID[..6]) && all.contains("ureq_proto"), "{all}");
    });
}

#[test]
fn without_any_the_request_is_as_it_was() {
    let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
    send(&server.url("/"), AMPLE).expect("accepted");
    let names = server.request().headers.into_iter().map(|(name, _)| name);
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "user-agent",
    ];
    names.retain(|name| name != "accept-encoding");
    assert_eq!(names, expected);
}

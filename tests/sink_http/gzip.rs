//! Reports that are compressed on their way.

use std::io::{Read, Write};

use callhome::sink::{Parcel, Sink};
use callhome::testing::HttpReceiver;
use flate2::read::GzDecoder;

use super::{AMPLE, BODY, ID, sink};

#[test]
fn every_attempt_sends_the_same_compressed_bytes_even_after_a_redirect() {
    let mut answers = ["503 x", "307 x\r\nLocation: /", "202 x"].into_iter();
    let server = HttpReceiver::start(move |_, stream| {
        let answer = answers.next().expect("three requests");
        let _ = write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
    });
    let sink = sink(&server.url("/")).compressing();
    sink.send(&Parcel::new(ID, 1, BODY, AMPLE)).expect_err("503");
    sink.send(&Parcel::new(ID, 2, BODY, AMPLE)).expect("accepted");
    let first = server.request().body;
    let mut report = Vec::new();
    GzDecoder::new(&first[..]).read_to_end(&mut report).expect("gzip");
    assert_eq!(report, BODY);
    for _ in 0..2 {
        let request = server.request();
        assert_eq!(request.header("content-encoding"), ["gzip"]);
        assert_eq!(request.header("content-type"), ["application/json"]);
        assert_eq!(request.header("content-length"), [first.len().to_string()]);
        assert_eq!(request.body, first);
    }
}

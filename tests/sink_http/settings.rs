//! What a sink shows of its URL, and which roots it takes.

use callhome::sink::Sink;

use super::sink;

#[test]
fn neither_description_nor_debug_shows_more_than_the_origin() {
    let sink = sink("https://collector.example.com:8443/secret?key=secret");
    assert_eq!(sink.describe(), "https://collector.example.com:8443");
    let debug = format!("{sink:?}");
    assert!(debug.contains("collector.example.com") && !debug.contains("secret"), "{debug}");
}

#[test]
fn roots_must_be_certificates() {
    for pem in ["", "no PEM at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
    {
        let error = sink("https://collector.example.com/")
            .trusting_only(pem.as_bytes())
            .expect_err("no certificate");
        assert_eq!(error.kind(), callhome::ErrorKind::Config);
        assert!(error.to_string().contains("BEGIN CERTIFICATE"), "{error}");
    }
}

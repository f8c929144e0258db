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
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    let cut_off = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    for (pem, remedy) in [
        ("", "BEGIN CERTIFICATE"),
        ("no PEM at all", "BEGIN CERTIFICATE"),
        (key, "BEGIN CERTIFICATE"),
        (cut_off, "BEGIN CERTIFICATE"),
        (damaged, "damaged"),
    ] {
        let sink = || sink("https://collector.example.com/");
        for outcome in [sink().trusting(pem.as_bytes()), sink().trusting_only(pem.as_bytes())] {
            let error = outcome.expect_err("no certificate");
            assert_eq!(error.kind(), callhome::ErrorKind::Config);
            assert!(error.to_string().contains(remedy), "{pem}: {error}");
        }
    }
}

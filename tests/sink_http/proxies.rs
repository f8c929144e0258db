//! Proxies. They are read from the environment, so each case has a process of its own.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::Instant;

use callhome::sink::{HttpSink, Parcel, Sink};
use callhome::testing::{HttpReceiver, Request, until_closed};

use super::support::{SOON, trickle};
use super::{AMPLE, BODY, ID, SHORT, verdict};

/// Sends to `url` from a process with these variables and no other proxy settings, and expects
/// `outcome`: `Accepted`, or a class and a fault.
#[track_caller]
fn from_a_process_with(variables: &[(&str, &str)], url: &str, outcome: &str) {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "proxies::child", "--nocapture"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(variables.iter().copied()).env("CHILD_URL", url).env("CHILD_OUTCOME", outcome);
    let output = command.output().expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", {
        String::from_utf8_lossy(&output.stderr)
    });
}

/// Only does something in a process of [`from_a_process_with`].
#[test]
fn child() {
    let Ok(url) = std::env::var("CHILD_URL") else { return };
    let expected = std::env::var("CHILD_OUTCOME").expect("an expectation");
    let timeout = if expected.contains("Timeout") { SHORT } else { AMPLE };
    let sink = HttpSink::allowing_plain_http(&url).expect("usable");
    let sink = sink.bearer("4711").expect("usable");
    let start = Instant::now();
    let outcome = match sink.send(&Parcel::new(ID, 1, BODY, timeout)) {
        Ok(()) => "Accepted".to_owned(),
        outcome => format!("{:?}", verdict(outcome)),
    };
    assert_eq!(outcome, expected);
    assert!(start.elapsed() < SOON / 3, "took {:?}", start.elapsed());
}

/// A proxy that answers CONNECT with `status`, then plays the receiver itself.
fn proxy(status: &'static str) -> (HttpReceiver, mpsc::Receiver<(Request, Option<Request>)>) {
    let (seen, requests) = mpsc::channel();
    let server = HttpReceiver::raw(move |mut stream: TcpStream| {
        let Ok(connect) = Request::read(&stream) else { return };
        let _ = write!(stream, "HTTP/1.1 {status}\r\n\r\n");
        let post = Request::read(&stream).ok();
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
        let _ = seen.send((connect, post));
    });
    (server, requests)
}

/// Expects an outcome from a proxy, for receivers with and without TLS.
#[track_caller]
fn outcome_through(server: &HttpReceiver, outcome: &str) {
    let proxy = format!("http://{}", server.address());
    for url in ["https://callhome.invalid/v1", "http://callhome.invalid/v1"] {
        from_a_process_with(&[("ALL_PROXY", &proxy)], url, outcome);
    }
}

#[test]
fn a_proxy_is_taken_from_the_environment_and_resolves_the_name() {
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let (server, requests) = proxy("200 OK");
        from_a_process_with(
            &[
                (name, &format!("http://user:word@{}", server.address())),
                ("HTTPS_PROXY", "http://callhome.invalid:1"),
            ],
            "http://callhome.invalid:81/v1",
            "Accepted",
        );
        let (connect, post) = requests.recv_timeout(SOON).expect("the proxy was asked");
        assert_eq!(connect.line, "CONNECT callhome.invalid:81 HTTP/1.1");
        assert_eq!(connect.header("proxy-authorization").len(), 1);
        assert_eq!(connect.header("authorization"), [""; 0], "the proxy must not be told");
        let agent = concat!("callhome/", env!("CARGO_PKG_VERSION"));
        assert_eq!(connect.header("user-agent"), [agent]);
        let post = post.expect("the report");
        assert_eq!((post.line.as_str(), post.body.as_slice()), ("POST /v1 HTTP/1.1", BODY));
        assert_eq!(post.header("authorization"), ["Bearer 4711"]);
        assert_eq!(post.header("proxy-authorization"), [""; 0], "the receiver must not see it");
    }
}

#[test]
fn https_has_a_proxy_of_its_own() {
    let (seen, requests) = mpsc::channel();
    let server = HttpReceiver::start(move |connect, stream| {
        // What plays the receiver behind the proxy knows no TLS. That the client minds shows that
        // the way there was open.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nno TLS");
        let _ = seen.send(connect.line.clone());
        until_closed(stream);
    });
    let variables = [
        ("HTTPS_PROXY", server.address()),
        ("HTTP_PROXY", "http://callhome.invalid:1"),
        ("ALL_PROXY", "http://callhome.invalid:1"),
    ];
    from_a_process_with(&variables, "https://callhome.invalid/v1", "(Retry, Tls)");
    let connect = requests.recv_timeout(SOON).expect("the proxy was asked");
    assert_eq!(connect, "CONNECT callhome.invalid:443 HTTP/1.1");
}

#[test]
fn a_proxy_that_says_no_certainly_delivers_nothing() {
    for status in
        ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway", "302 x", "100 x"]
    {
        outcome_through(&proxy(status).0, "(Retry, Proxy)");
    }
}

#[test]
fn a_proxy_that_breaks_off_or_is_none() {
    outcome_through(&HttpReceiver::start(|_, _| ()), "(Retry, Proxy)");
    outcome_through(&HttpReceiver::answering("SSH-2.0-OpenSSH_9.6\r\n"), "(Retry, Proxy)");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = closed.local_addr().expect("bound").to_string();
    drop(closed);
    let url = "http://callhome.invalid/v1";
    from_a_process_with(&[("ALL_PROXY", &address)], url, "(Retry, Proxy)");
    from_a_process_with(&[("ALL_PROXY", "proxy.invalid:3128")], url, "(Retry, Proxy)");
    // A proxy that is spoken to within TLS, at a port without it.
    let server = HttpReceiver::raw(|mut stream| {
        let _ = stream.write_all(b"no TLS");
        until_closed(&mut stream);
    });
    let proxy = format!("https://{}", server.address());
    from_a_process_with(&[("ALL_PROXY", &proxy)], url, "(Retry, Proxy)");
}

#[test]
fn a_silent_proxy_ends_with_the_timeout() {
    outcome_through(&HttpReceiver::raw(|mut stream| until_closed(&mut stream)), "(Retry, Timeout)");
}

#[test]
fn a_trickling_proxy_does_not_stretch_the_timeout() {
    let server = HttpReceiver::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Filler: ");
        trickle(stream, std::iter::repeat(b'x'));
    });
    outcome_through(&server, "(Retry, Timeout)");
}

#[test]
fn this_machine_is_reached_without_the_proxy() {
    let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let variables = [("ALL_PROXY", "http://callhome.invalid:1")];
    from_a_process_with(&variables, &server.url("/"), "Accepted");
}

#[test]
fn a_socks_proxy_is_not_gone_around() {
    // The name would lead to the receiver directly; only the proxy setting stops it.
    let server = HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let port = server.address().rsplit(':').next().expect("a port");
    let url = format!("http://0.0.0.0:{port}/");
    for (exempt, outcome) in [("", "(Retry, Proxy)"), ("0.0.0.0", "Accepted")] {
        let variables = [("ALL_PROXY", "socks5://127.0.0.1:1"), ("NO_PROXY", exempt)];
        from_a_process_with(&variables, &url, outcome);
    }
}

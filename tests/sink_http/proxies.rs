//! Proxies. They are read from the environment, so each case has a process of its own.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::sync::mpsc;

use callhome::sink::{HttpSink, Parcel, Sink};

use super::support::{Request, SOON, Server};
use super::{AMPLE, BODY, ID, class};

/// Runs [`child`] with these variables and no other proxy settings.
#[track_caller]
fn in_a_process_with(variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "proxies::child", "--nocapture"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = command.envs(variables.iter().copied()).output().expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", {
        String::from_utf8_lossy(&output.stderr)
    });
}

/// Sends to `CHILD_URL` and expects `CHILD_OUTCOME`; only does so in a process of
/// [`in_a_process_with`].
#[test]
fn child() {
    let Ok(url) = std::env::var("CHILD_URL") else { return };
    let sink = HttpSink::allowing_plain_http(&url).expect("usable");
    let outcome = match sink.send(&Parcel::new(ID, 1, BODY, AMPLE)) {
        Ok(()) => "Accepted".to_owned(),
        outcome => format!("{:?}", class(outcome)),
    };
    assert_eq!(outcome, std::env::var("CHILD_OUTCOME").expect("an expectation"));
}

/// A proxy that answers CONNECT with `status`, then plays the receiver itself.
fn proxy(status: &'static str) -> (Server, mpsc::Receiver<(Request, Option<Request>)>) {
    let (seen, requests) = mpsc::channel();
    let server = Server::raw(move |mut stream: TcpStream| {
        let Ok(connect) = Request::read(&stream) else { return };
        let _ = write!(stream, "HTTP/1.1 {status}\r\n\r\n");
        let post = Request::read(&stream).ok();
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
        let _ = seen.send((connect, post));
    });
    (server, requests)
}

#[test]
fn a_proxy_is_taken_from_the_environment_and_resolves_the_name() {
    let (server, requests) = proxy("200 OK");
    in_a_process_with(&[
        ("HTTPS_PROXY", &format!("http://user:word@{}", server.address)),
        ("CHILD_URL", "http://callhome.invalid:81/v1"),
        ("CHILD_OUTCOME", "Accepted"),
    ]);
    let (connect, post) = requests.recv_timeout(SOON).expect("the proxy was asked");
    assert_eq!(connect.line, "CONNECT callhome.invalid:81 HTTP/1.1");
    assert_eq!(connect.header("proxy-authorization").len(), 1);
    let agent = concat!("callhome/", env!("CARGO_PKG_VERSION"));
    assert_eq!(connect.header("user-agent"), [agent]);
    let post = post.expect("the report");
    assert_eq!((post.line.as_str(), post.body.as_slice()), ("POST /v1 HTTP/1.1", BODY));
    assert_eq!(post.header("proxy-authorization"), [""; 0], "the receiver must not see it");
}

#[test]
fn a_proxy_that_says_no_certainly_delivers_nothing() {
    let (server, _requests) = proxy("407 Proxy Authentication Required");
    in_a_process_with(&[
        ("ALL_PROXY", &format!("http://{}", server.address)),
        ("CHILD_URL", "https://callhome.invalid/v1"),
        ("CHILD_OUTCOME", "Retry"),
    ]);
}

#[test]
fn this_machine_is_reached_without_the_proxy() {
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n");
    in_a_process_with(&[
        ("ALL_PROXY", "http://callhome.invalid:1"),
        ("CHILD_URL", &server.url("/")),
        ("CHILD_OUTCOME", "Accepted"),
    ]);
}

#[test]
fn a_socks_proxy_is_not_gone_around() {
    // The name would lead to the receiver directly; only the proxy setting stops it.
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let port = server.address.rsplit(':').next().expect("a port");
    let url = format!("http://0.0.0.0:{port}/");
    for (exempt, outcome) in [("", "Retry"), ("0.0.0.0", "Accepted")] {
        in_a_process_with(&[
            ("ALL_PROXY", "socks5://127.0.0.1:1"),
            ("NO_PROXY", exempt),
            ("CHILD_URL", &url),
            ("CHILD_OUTCOME", outcome),
        ]);
    }
}

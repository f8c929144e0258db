//! Receivers for tests: real sockets on 127.0.0.1, and a script for what happens on them.

// Each test file that includes this module uses a part of it.
#![allow(dead_code)]

pub(crate) mod apart;
pub(crate) mod clock;

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// The longest that a test waits for something that must happen. Far more than it takes; its only
/// use is that a broken test ends.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// An example as it was built, with nothing in its environment that switches every program off.
///
/// `cargo test` builds the examples first, `cargo test --test NAME` does not: an example that is
/// older than its sources fails the test.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap(); // target/<profile>/deps/<test>-<hash>
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let example = profile.join("examples").join(name);
    let modified = |file: &Path| fs::metadata(file).and_then(|file| file.modified());
    let built = modified(&example).expect("no example yet: cargo build --examples");
    // Next to it is the list of its sources: `name: first second ...`.
    let sources = fs::read_to_string(example.with_extension("d")).unwrap();
    let newer = |source: &&str| modified(source.as_ref()).is_ok_and(|time| time > built);
    let newer = sources.split_whitespace().skip(1).find(newer);
    assert_eq!(newer, None, "newer than the example: cargo build --examples");
    let mut command = Command::new(example);
    command.env_remove("DO_NOT_TRACK");
    command
}

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Request {
    /// The first line, as in `POST /v1/reports HTTP/1.1`.
    pub(crate) line: String,
    /// Names in lower case, values trimmed, in the order of their arrival.
    pub(crate) headers: Vec<(String, String)>,
    /// As many bytes as `Content-Length` announced.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// All values of a header, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    /// Reads one request. The stream is left just behind it.
    pub(crate) fn read(mut input: impl Read) -> io::Result<Request> {
        // Unbuffered on purpose, apart from what `take` hands out: nothing behind the request may
        // be swallowed. A byte at a time is fast enough for the heads of test requests.
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            input.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let mut lines = BufReader::new(&head[..]).lines();
        let line = lines.next().transpose()?.unwrap_or_default();
        let mut headers = Vec::new();
        for header in lines {
            if let Some((name, value)) = header?.split_once(':') {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        let mut request = Request { line, headers, body: Vec::new() };
        let length = request.header("content-length").first().and_then(|v| v.parse().ok());
        request.body = vec![0; length.unwrap_or(0)];
        input.read_exact(&mut request.body)?;
        Ok(request)
    }
}

/// A receiver that runs a script on every connection, one after the other, until the process ends.
pub(crate) struct Server {
    /// Host and port, as in `127.0.0.1:4711`.
    pub(crate) address: String,
    requests: Receiver<Request>,
}

impl Server {
    /// Runs `script` on each connection as it is accepted; the connection closes when the script
    /// returns. Nothing is read from it beforehand.
    pub(crate) fn raw(mut script: impl FnMut(TcpStream) + Send + 'static) -> Server {
        Server::listen(move |stream, _| script(stream))
    }

    /// Reads the request of each connection completely, then runs `script`.
    pub(crate) fn start(
        mut script: impl FnMut(&Request, &mut TcpStream) + Send + 'static,
    ) -> Server {
        Server::listen(move |mut stream, seen| {
            let Ok(request) = Request::read(&stream) else { return };
            script(&request, &mut stream);
            let _ = seen.send(request);
        })
    }

    /// Reads the request, writes `answer` and closes.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Server {
        let answer = answer.into();
        Server::start(move |_, stream| {
            let _ = stream.write_all(&answer);
        })
    }

    /// The same, on a port that the test has chosen.
    pub(crate) fn on(listener: TcpListener, answer: &'static str) -> Server {
        Server::serve(listener, move |mut stream, seen| {
            let Ok(request) = Request::read(&stream) else { return };
            let _ = stream.write_all(answer.as_bytes());
            let _ = seen.send(request);
        })
    }

    fn listen(serve: impl FnMut(TcpStream, &mpsc::Sender<Request>) + Send + 'static) -> Server {
        Server::serve(TcpListener::bind("127.0.0.1:0").expect("a free port"), serve)
    }

    fn serve(
        listener: TcpListener,
        mut serve: impl FnMut(TcpStream, &mpsc::Sender<Request>) + Send + 'static,
    ) -> Server {
        let address = listener.local_addr().expect("bound").to_string();
        let (seen, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &seen);
            }
        });
        Server { address, requests }
    }

    /// `http://127.0.0.1:port` and `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request that was received and served.
    pub(crate) fn request(&self) -> Request {
        self.requests.recv_timeout(SOON).expect("a request")
    }
}

/// Returns when the peer has closed the connection: how a script stays silent.
pub(crate) fn until_closed(stream: &mut TcpStream) {
    let _ = io::copy(stream, &mut io::sink());
}

/// Writes `piece` again and again until the peer has closed the connection. Returns how many bytes
/// were written.
pub(crate) fn endlessly(stream: &mut TcpStream, piece: &[u8]) -> u64 {
    let mut written = 0;
    while stream.write_all(piece).is_ok() {
        written += piece.len() as u64;
    }
    written
}

/// Writes the bytes of `pieces` one by one, with a pause before each, until the peer has closed the
/// connection. The pauses are short against any timeout, so that the stream never looks stalled.
pub(crate) fn trickle(stream: &mut TcpStream, pieces: impl IntoIterator<Item = u8>) {
    let (_never, pause) = mpsc::channel::<()>();
    for byte in pieces {
        let _ = pause.recv_timeout(Duration::from_millis(5));
        if stream.write_all(&[byte]).is_err() {
            return;
        }
    }
}

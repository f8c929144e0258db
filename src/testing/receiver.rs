//! A receiver on a port of this machine: a real socket, and a script for what happens on it.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::{Answer, Request, SOON};

/// A receiver of reports on 127.0.0.1. It serves one connection after the other, by a script, on a
/// thread that lives as long as the process.
///
/// ```
/// # #[cfg(feature = "http")] {
/// use callhome::testing::{Answer, HttpReceiver};
/// use callhome::{CallHome, Schema, assert_report};
///
/// let busy = Answer::status(503).header("Retry-After", "60");
/// let receiver = HttpReceiver::scripted([busy, 204.into()]);
/// let callhome = CallHome::builder(Schema::new("shop").counter("orders"))
///     .endpoint(&receiver.url("/v1/reports"))
///     .opt_out()
///     .build()?;
/// metrics::with_local_recorder(callhome.recorder(), || metrics::counter!("orders").increment(3));
///
/// assert!(callhome.flush().is_err());
/// let request = receiver.request();
/// assert_eq!(request.line, "POST /v1/reports HTTP/1.1");
/// assert_report!(request, "data.orders" == 3, "sequence" == 1);
/// # }
/// # Ok::<(), callhome::Error>(())
/// ```
#[derive(Debug)]
pub struct HttpReceiver {
    address: String,
    requests: Receiver<Request>,
}

impl HttpReceiver {
    /// Answers every request with this.
    pub fn answering(answer: impl Into<Answer>) -> HttpReceiver {
        HttpReceiver::scripted([answer.into()])
    }

    /// Answers the first request with the first of these, the second with the second, and all after
    /// the last with the last.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn scripted(answers: impl IntoIterator<Item = Answer>) -> HttpReceiver {
        HttpReceiver::on(bind(), answers)
    }

    /// The same, on a port that the test has chosen.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    pub fn on(listener: TcpListener, answers: impl IntoIterator<Item = Answer>) -> HttpReceiver {
        let mut answers: Vec<Answer> = answers.into_iter().collect();
        answers.reverse();
        let mut now = answers.pop().expect("at least one answer");
        HttpReceiver::serve(listener, move |mut stream, seen| {
            let Ok(request) = Request::read(&stream) else { return };
            now.give(&mut stream);
            now = answers.pop().unwrap_or_else(|| now.clone());
            let _ = seen.send(request);
        })
    }

    /// Reads each request completely, then runs `script`. The connection closes when it returns.
    pub fn start(
        mut script: impl FnMut(&Request, &mut TcpStream) + Send + 'static,
    ) -> HttpReceiver {
        HttpReceiver::serve(bind(), move |mut stream, seen| {
            let Ok(request) = Request::read(&stream) else { return };
            script(&request, &mut stream);
            let _ = seen.send(request);
        })
    }

    /// Runs `script` on each connection as it is accepted. Nothing is read from it beforehand, so
    /// [`request`](HttpReceiver::request) never has one.
    pub fn raw(mut script: impl FnMut(TcpStream) + Send + 'static) -> HttpReceiver {
        HttpReceiver::serve(bind(), move |stream, _| script(stream))
    }

    fn serve(
        listener: TcpListener,
        mut serve: impl FnMut(TcpStream, &Sender<Request>) + Send + 'static,
    ) -> HttpReceiver {
        let address = listener.local_addr().expect("a bound port").to_string();
        let (seen, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &seen);
            }
        });
        HttpReceiver { address, requests }
    }

    /// Host and port, as in `127.0.0.1:4711`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `http://127.0.0.1:PORT` and `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request that was received and answered. It waits for one.
    ///
    /// # Panics
    ///
    /// If none comes within 30 seconds.
    pub fn request(&self) -> Request {
        self.requests.recv_timeout(SOON).expect("a request")
    }
}

/// A free port of this machine.
pub(super) fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a free port")
}

/// Returns when the peer has closed the connection: how a script stays silent.
pub fn until_closed(stream: &mut TcpStream) {
    let _ = io::copy(stream, &mut io::sink());
}

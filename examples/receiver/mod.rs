//! The receiving end, as small as it can be: it takes every report that is POSTed to it.
//!
//! A real one answers 2xx once the report is stored, and knows a report that came twice by its
//! id, for a sender that missed the answer sends it again.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tiny_http::{Method, Request, Response, Server};

/// A receiver on a free port of this machine, with a thread that serves it until it is dropped.
pub(crate) struct Receiver {
    server: Arc<Server>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Starts a receiver that hands each request and the body of its report to `on_report`, and only
    /// then tells the sender that it was accepted.
    ///
    /// # Errors
    ///
    /// What keeps the system from giving a port or a thread.
    pub(crate) fn start(
        mut on_report: impl FnMut(&Request, String) + Send + 'static,
    ) -> io::Result<Receiver> {
        let server = Arc::new(Server::http("127.0.0.1:0").map_err(io::Error::other)?);
        let requests = Arc::clone(&server);
        let receive = move || {
            for mut request in requests.incoming_requests() {
                let mut body = String::new();
                let status = match request.method() {
                    Method::Post => match request.as_reader().read_to_string(&mut body) {
                        Ok(_) => 200,
                        Err(_) => 400, // not UTF-8, or cut short
                    },
                    _ => 405,
                };
                if status == 200 {
                    on_report(&request, body);
                }
                // A sender that is gone will send the report again.
                let _ = request.respond(Response::empty(status));
            }
        };
        let thread = thread::Builder::new().name("receiver".into()).spawn(receive)?;
        Ok(Receiver { server, thread: Some(thread) })
    }

    /// The URL to send reports to: `http://127.0.0.1:PORT` and this path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.server_addr())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic of `on_report` has been printed already
        }
    }
}

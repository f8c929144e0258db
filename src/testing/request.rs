//! A request as it arrived.

use std::io::{self, BufRead, BufReader, Read};

/// A request as an [`HttpReceiver`](super::HttpReceiver) got it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The first line, as in `POST /v1/reports HTTP/1.1`.
    pub line: String,
    /// Names in lower case, values trimmed, in the order of their arrival.
    pub headers: Vec<(String, String)>,
    /// As many bytes as `Content-Length` announced.
    pub body: Vec<u8>,
}

impl Request {
    /// All values of a header, given in lower case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    /// Reads one request. The stream is left just behind it.
    ///
    /// # Errors
    ///
    /// Those of the stream, and its end before that of the request.
    pub fn read(mut input: impl Read) -> io::Result<Request> {
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

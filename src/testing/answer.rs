//! What a receiver answers.

use std::io::Write;
use std::net::TcpStream;

use super::until_closed;
use crate::sink::Hints;

/// What an [`HttpReceiver`](super::HttpReceiver) answers to a request.
///
/// A status is an answer, and so is a text: it is written as it is.
///
/// ```
/// use callhome::testing::Answer;
///
/// let busy = Answer::status(503).header("Retry-After", "60");
/// let same: Answer = "HTTP/1.1 503 x\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n".into();
/// let done = Answer::from(204);
/// let less = Answer::from(204).header("Callhome", "every=86400, share=0.1");
/// # drop((busy, same, done, less));
/// ```
#[derive(Clone, Debug)]
pub struct Answer(What);

#[derive(Clone, Debug)]
enum What {
    Bytes(Vec<u8>),
    Written { status: u16, headers: String, body: Vec<u8> },
    Silence,
}

impl Answer {
    /// An answer of that status, without a body, after which the connection ends.
    pub fn status(status: u16) -> Answer {
        Answer(What::Written { status, headers: String::new(), body: Vec::new() })
    }

    /// Adds a header. Nothing happens where the answer has no status.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        if let What::Written { headers, .. } = &mut self.0 {
            headers.push_str(&format!("{name}: {value}\r\n"));
        }
        self
    }

    /// Gives it a body. Nothing happens where the answer has no status.
    #[must_use]
    pub fn body(mut self, text: impl Into<Vec<u8>>) -> Answer {
        if let What::Written { body, .. } = &mut self.0 {
            *body = text.into();
        }
        self
    }

    /// Adds the header by which a receiver asks for less, and of a pause the `Date` from which it
    /// counts. Nothing happens where the answer has no status.
    #[must_use]
    pub fn hints(self, hints: Hints) -> Answer {
        let every = hints.every().map(|every| format!("every={}", every.as_secs()));
        let share = hints.share().map(|share| format!("share={share:.3}"));
        let until = hints.pause().map(|pause| format!("until=@{}", pause.as_secs()));
        let answer = match until {
            Some(_) => self.header("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),
            None => self,
        };
        let members: Vec<String> = [every, share, until].into_iter().flatten().collect();
        answer.header("Callhome", &members.join(", "))
    }

    /// None: the connection stays until the sender gives up, and the receiver serves no other
    /// meanwhile.
    pub fn silence() -> Answer {
        Answer(What::Silence)
    }

    /// None: the connection ends when the request was read.
    pub fn nothing() -> Answer {
        Answer(What::Bytes(Vec::new()))
    }

    /// Gives the answer. What fails is the sender's doing, who may be gone.
    pub(super) fn give(&self, stream: &mut TcpStream) {
        let _ = match &self.0 {
            What::Bytes(bytes) => stream.write_all(bytes),
            What::Written { status, headers, body } => {
                let length = body.len();
                // 204 and 304 have no body, nor its length.
                let length = match status {
                    204 | 304 => String::new(),
                    _ => format!("Content-Length: {length}\r\n"),
                };
                let head =
                    format!("HTTP/1.1 {status} x\r\n{length}Connection: close\r\n{headers}\r\n");
                stream.write_all(&[head.as_bytes(), body].concat())
            }
            What::Silence => {
                until_closed(stream);
                Ok(())
            }
        };
    }
}

impl From<u16> for Answer {
    fn from(status: u16) -> Answer {
        Answer::status(status)
    }
}

/// These bytes, and then the end of the connection.
impl From<&str> for Answer {
    fn from(bytes: &str) -> Answer {
        bytes.to_owned().into()
    }
}

/// These bytes, and then the end of the connection.
impl From<String> for Answer {
    fn from(bytes: String) -> Answer {
        Answer(What::Bytes(bytes.into()))
    }
}

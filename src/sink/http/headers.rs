//! The headers that the application adds, and that nothing but the receiver may see.

use ureq::http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, ErrorKind};

/// Names that are taken: by the request itself, or by the connection that carries it.
const TAKEN: &[&str] = &[
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Headers with secret values. It has no `Debug` on purpose.
#[derive(Clone, Default)]
pub(super) struct Headers(HeaderMap);

impl Headers {
    /// Adds a header, in place of one of the same name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with the name and never the value.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let config = |message| Error::new(ErrorKind::Config, message);
        let name: HeaderName = name.parse().map_err(|_| {
            config(format!("{name:?} is no header name; use letters, digits and hyphens"))
        })?;
        if TAKEN.contains(&name.as_str()) {
            return Err(config(format!(
                "the header {name} is part of every request and cannot be set; use another name"
            )));
        }
        let value = HeaderValue::from_str(value).ok();
        let value = value.filter(|v| v.to_str().is_ok_and(|text| !text.trim().is_empty()));
        let value = value.ok_or_else(|| {
            config(format!(
                "the value for the header {name} (not shown) is empty or holds a character that \
                 no header can carry, perhaps a line break at its end; expected visible ASCII"
            ))
        })?;
        self.0.insert(name, value);
        Ok(())
    }

    /// As they stand in a request.
    pub(super) fn lines(&self) -> Vec<u8> {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()
        };
        self.0.iter().flat_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, value: &str) -> String {
        let error = Headers::default().set(name, value).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Config);
        format!("{error} {error:?} {:?}", std::error::Error::source(&error))
    }

    #[test]
    fn lines_are_those_of_a_request_and_a_name_has_one_value() {
        let mut headers = Headers::default();
        assert!(headers.lines().is_empty());
        headers.set("X-Key", "first").expect("usable");
        headers.set("Authorization", "Basic YTpi").expect("usable");
        headers.set("x-key", "second").expect("usable");
        let lines = String::from_utf8(headers.lines()).expect("ASCII");
        let mut lines: Vec<&str> = lines.split_terminator("\r\n").collect();
        lines.sort_unstable();
        assert_eq!(lines, ["authorization: Basic YTpi", "x-key: second"]);
    }

    #[test]
    fn an_impossible_value_is_named_by_its_header_and_not_shown() {
        for value in ["secret\n", "secret\r\nx: y", "se\0cret", "s\u{e9}cret", "", " "] {
            let text = refusal("X-Key", value);
            assert!(text.contains("x-key") && !text.contains("cret"), "{value:?}: {text}");
        }
    }

    #[test]
    fn names_that_are_none_or_taken_are_refused() {
        for name in ["", "two words", "colon:", "line\nbreak", "Host", "CONTENT-LENGTH", "te"] {
            let text = refusal(name, "secret");
            assert!(!text.contains("secret"), "{text}");
            let shown = text.contains(&format!("{name:?}")) || text.contains(&name.to_lowercase());
            assert!(shown, "{name:?}: {text}");
        }
    }
}

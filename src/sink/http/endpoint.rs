//! The URL that reports go to: checked once, shown without its secrets.

use std::net::IpAddr;

use ureq::http::Uri;
use ureq::http::uri::Scheme;

use crate::error::{Error, ErrorKind};

/// A URL that can be sent to: absolute, `http` or `https`, with a host and without user and
/// password.
#[derive(Clone)]
pub(super) struct Endpoint {
    uri: Uri,
    /// `scheme://host[:port]`: all of the URL that may appear in a message. Paths and query strings
    /// can hold keys.
    origin: String,
    loopback: bool,
}

/// Whether `http` is accepted for a host that is not this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PlainHttp {
    /// Only for this machine itself.
    LoopbackOnly,
    /// For any host.
    Anywhere,
}

impl Endpoint {
    /// Checks a URL.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], with what was wrong, the value without its secrets, and the remedy.
    pub(super) fn parse(url: &str, plain_http: PlainHttp) -> Result<Self, Error> {
        let uri: Uri = url.parse().map_err(|e| {
            config(format!("{} is not a URL: {e}; {EXAMPLE}", shown(url))).with_source(e)
        })?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(config(format!("{} is not an absolute URL; {EXAMPLE}", shown(url))));
        };
        if scheme != "http" && scheme != "https" {
            let scheme = shown(scheme);
            return Err(config(format!("cannot send to a URL of scheme {scheme}; {EXAMPLE}")));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(config(format!("{} names no host; {EXAMPLE}", shown(url))));
        }
        if authority.as_str().contains('@') {
            return Err(config(format!(
                "the URL for {scheme}://{host} holds a user name or a password, which would end up \
                 in logs; leave out what stands before the '@'"
            )));
        }
        // A port that is not a u16 would be replaced by the scheme's default in silence.
        let port = authority.as_str().strip_prefix(host).unwrap_or_default();
        if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(config(format!(
                "{} has a port that does not exist; use one from 1 to 65535, or none",
                shown(url)
            )));
        }
        let origin = format!("{scheme}://{authority}");
        let loopback = is_loopback(host);
        if scheme == "http" && !loopback && plain_http == PlainHttp::LoopbackOnly {
            return Err(config(format!(
                "{origin} would carry reports unencrypted; use https://, or allow plain HTTP \
                 explicitly with HttpSink::allowing_plain_http"
            )));
        }
        Ok(Endpoint { uri, origin, loopback })
    }

    /// The whole URL.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// `scheme://host[:port]`, fit for a message.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The host as it stands in the URL: an IPv6 address has its brackets.
    pub(super) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Whether both URLs lead to the same scheme, host and port.
    pub(super) fn has_origin_of(&self, other: &Endpoint) -> bool {
        let port = |e: &Endpoint| e.uri.port_u16().unwrap_or(if e.is_https() { 443 } else { 80 });
        self.uri.scheme() == other.uri.scheme()
            && self.host().eq_ignore_ascii_case(other.host())
            && port(self) == port(other)
    }

    /// Whether the host is this machine itself.
    pub(super) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

/// The remedy for a value that is no usable URL.
const EXAMPLE: &str = "write one like https://collector.example.com/v1/reports";

/// The longest piece of an unusable value that is repeated in a message, in characters.
const SHOWN: usize = 100;

/// An error about the setting.
fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// What of an unparsable value may be shown: nothing behind a `?` or `#`, and nothing at all if it
/// holds an `@`, since then there is no telling where a password begins and ends.
fn shown(value: &str) -> String {
    if value.contains('@') {
        return "the configured value (not shown, it holds an '@')".to_owned();
    }
    let head = value.split(['?', '#']).next().unwrap_or_default();
    format!("{:?}", head.chars().take(SHOWN).collect::<String>())
}

/// Whether a host, as written in a URL, is this machine: 127.0.0.0/8, `[::1]` or `localhost`
/// (RFC 6761, section 6.3, keeps that name for it).
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>()
        .map_or_else(|_| bare.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Endpoint, Error> {
        Endpoint::parse(url, PlainHttp::LoopbackOnly)
    }

    #[track_caller]
    fn refusal(url: &str) -> String {
        let Err(error) = parse(url) else { panic!("{url:?} was accepted") };
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    }

    #[test]
    fn https_goes_anywhere() {
        for url in [
            "https://collector.example.com",
            "https://collector.example.com:8443/v1/reports?key=1",
            "HTTPS://192.0.2.1/v1",
            "https://[2001:db8::1]:8443/v1",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn plain_http_goes_to_this_machine_alone_unless_allowed() {
        for url in [
            "http://127.0.0.1:9/v1",
            "http://127.8.9.10/",
            "http://[::1]:9/v1",
            "http://localhost/v1",
            "http://LocalHost:9",
        ] {
            assert!(parse(url).is_ok_and(|e| e.is_loopback()), "{url}");
        }
        for url in [
            "http://collector.example.com/v1",
            "http://128.0.0.1/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "http://[2001:db8::1]/",
        ] {
            let text = refusal(url);
            assert!(text.contains("https://") && text.contains("allowing_plain_http"), "{text}");
            let allowed = Endpoint::parse(url, PlainHttp::Anywhere);
            assert!(allowed.is_ok_and(|e| !e.is_loopback()), "{url}");
        }
    }

    #[test]
    fn an_unusable_value_is_named_with_the_remedy() {
        for (url, named) in [
            ("", "\"\""),
            ("/v1/reports", "\"/v1/reports\""),
            ("collector.example.com", "\"collector.example.com\""),
            ("collector.example.com/v1", "\"collector.example.com/v1\""),
            ("ftp://collector.example.com/", "\"ftp\""),
            ("https://", "\"https://\""),
            ("https:///v1", "\"https:///v1\""),
            ("https://:8443/v1", "\"https://:8443/v1\""),
            ("https://collector.example.com/ v1", "\"https://collector.example.com/ v1\""),
            ("https://collector.example.com/v1\n", "\\n"),
            ("https://bücher.example/", "bücher"),
        ] {
            let text = refusal(url);
            assert!(text.contains(named), "{url:?}: {text}");
            assert!(text.contains("https://collector.example.com/v1/reports"), "{url:?}: {text}");
        }
    }

    #[test]
    fn a_port_that_does_not_exist_is_not_replaced_in_silence() {
        for url in [
            "https://collector.example.com:99999/v1",
            "https://collector.example.com:0/v1",
            "https://collector.example.com:/v1",
        ] {
            let text = refusal(url);
            assert!(text.contains("collector.example.com:"), "{text}");
            assert!(text.contains("port"), "{text}");
        }
    }

    #[test]
    fn secrets_are_not_repeated_in_messages() {
        for url in [
            "https://user:secret@collector.example.com/v1",
            "https://secret@collector.example.com/v1",
            "http://collector.example.com/secret?key=secret",
            "http://collector.example.com/?mail=a@secret",
            "collector.example.com/v1?key=secret",
            "https://user:sec?ret-secret@collector.example.com/",
            "https://user:sec ret@secret/",
            "ftp://collector.example.com/?key=secret",
            "https://collector.example.com/ ?key=secret",
            "user:secret@collector.example.com",
        ] {
            let text = refusal(url);
            assert!(!text.contains("secret") && !text.contains("sec "), "{url}: {text}");
        }
        assert!(refusal("https://user:secret@collector.example.com/v1").contains("user name"));
    }

    #[test]
    fn the_origin_is_all_that_is_shown() {
        let shown = |url| parse(url).map(|e| e.origin().to_owned()).ok();
        assert_eq!(
            shown("https://collector.example.com:8443/secret?key=secret").as_deref(),
            Some("https://collector.example.com:8443")
        );
        assert_eq!(shown("http://[::1]/secret").as_deref(), Some("http://[::1]"));
    }
}

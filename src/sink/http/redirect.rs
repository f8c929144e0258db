//! Redirects: to the same origin, with the same request.

use ureq::http::header::LOCATION;
use ureq::http::{StatusCode, response};

use super::endpoint::{Endpoint, PlainHttp};
use crate::sink::SendError;

/// How many redirects one attempt follows. One is for a moved path, another for a slash at its
/// end; a circle would end only with the timeout.
pub(super) const MOST: usize = 3;

/// Where an answer sends the request; `None` if it is no redirect that asks for the same request
/// again.
///
/// These are 307 and 308. A client may make a GET of a POST that is answered with 301 or 302, and
/// must with 303, so none of them says that the report belongs elsewhere.
///
/// # Errors
///
/// Refused, if the new place is not of the same origin: the operator was told one destination, and
/// neither a report nor credentials go to another one because a receiver says so.
pub(super) fn target(
    answer: &response::Parts,
    from: &Endpoint,
) -> Result<Option<Endpoint>, SendError> {
    let status = answer.status;
    if !matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
        return Ok(None);
    }
    let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    match location.and_then(|location| resolve(location, from)) {
        Some(to) if to.has_origin_of(from) => Ok(Some(to)),
        // The path of the new URL may hold a key, the origin does not.
        Some(to) => Err(refused(status, from, &format!("to another origin, {}", to.origin()))),
        None => Err(refused(status, from, "to no URL and no path from the root")),
    }
}

/// The end of a circle.
pub(super) fn too_many(status: StatusCode, from: &Endpoint) -> SendError {
    refused(status, from, &format!("more than {MOST} times"))
}

fn refused(status: StatusCode, from: &Endpoint, what: &str) -> SendError {
    let origin = from.origin();
    let message = format!("{origin} redirects ({status}) {what}; configure the final URL");
    SendError::refused(message).with_status(status.as_u16())
}

/// The URL of a `Location`: absolute, with the scheme left out, or a path from the root. A path
/// from elsewhere is as rare as it is ambiguous.
fn resolve(location: &str, from: &Endpoint) -> Option<Endpoint> {
    let url = if location.starts_with("//") {
        format!("{}:{location}", from.uri().scheme_str()?)
    } else if location.starts_with('/') {
        format!("{}{location}", from.origin())
    } else {
        location.to_owned()
    };
    // Whether `http` is fine was decided with the first URL; the origin is compared.
    Endpoint::parse(&url, PlainHttp::Anywhere).ok()
}

#[cfg(test)]
mod tests {
    use ureq::http::Response;

    use super::*;

    fn outcome(status: u16, location: Option<&str>) -> Result<Option<String>, SendError> {
        let from = Endpoint::parse("https://example.com/v1/reports?key=1", PlainHttp::Anywhere);
        let from = from.expect("a usable URL");
        let mut answer = Response::builder().status(status);
        if let Some(location) = location {
            answer = answer.header(LOCATION, location);
        }
        let (parts, ()) = answer.body(()).expect("a valid answer").into_parts();
        target(&parts, &from).map(|to| to.map(|to| to.uri().to_string()))
    }

    #[test]
    fn the_same_origin_is_followed() {
        for (location, to) in [
            ("/v2?key=2", "https://example.com/v2?key=2"),
            ("/v2#part", "https://example.com/v2"),
            ("https://example.com/v2", "https://example.com/v2"),
            ("HTTPS://EXAMPLE.com:443/v2", "https://EXAMPLE.com:443/v2"),
            ("//example.com/v2", "https://example.com/v2"),
        ] {
            for status in [307, 308] {
                assert_eq!(outcome(status, Some(location)), Ok(Some(to.to_owned())), "{location}");
            }
        }
    }

    #[test]
    fn another_origin_is_refused_and_named_without_its_path() {
        for (location, origin) in [
            ("http://example.com/secret", "http://example.com"),
            ("https://example.com:8443/secret", "https://example.com:8443"),
            ("https://www.example.com/secret", "https://www.example.com"),
            ("//example.org/secret", "https://example.org"),
        ] {
            let error = outcome(308, Some(location)).expect_err("refused");
            let text = error.to_string();
            assert!(!error.is_retryable() && error.status() == Some(308), "{error:?}");
            assert!(text.contains(&format!("{origin};")) && text.contains("final URL"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for location in [
            None,
            Some(""),
            Some("v2"),
            Some("?key=2"),
            Some("https://u:p@example.com/"),
            Some("\u{e9}"),
        ] {
            let error = outcome(307, location).expect_err("refused");
            assert!(!error.is_retryable(), "{location:?}");
            assert!(!error.to_string().contains("u:p"), "{error}");
        }
    }

    #[test]
    fn only_307_and_308_ask_for_the_same_request() {
        for status in [200, 300, 301, 302, 303, 304, 305, 306, 309, 400, 500] {
            assert_eq!(outcome(status, Some("/v2")), Ok(None), "{status}");
        }
    }
}

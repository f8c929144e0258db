//! What an answer means: the status decides, a header may add how long to wait.

use std::time::Duration;

use jiff::fmt::rfc2822;
use ureq::http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use ureq::http::{StatusCode, response};

use crate::clock::{Clock, SystemClock};
use crate::sink::SendError;

/// Judges an answer by its status and headers; the body has no say.
///
/// | status | meaning |
/// | --- | --- |
/// | 2xx | accepted |
/// | 408, 425, 429, 5xx | try again, not before `Retry-After` |
/// | anything else | refused: the same bytes would be refused again |
///
/// A redirect (3xx) that is still one when it comes here is among the refusals.
///
/// `origin` names the receiver in the error.
pub(super) fn judge(answer: &response::Parts, origin: &str) -> Result<(), SendError> {
    let status = answer.status;
    if status.is_success() {
        return Ok(());
    }
    let error = if is_temporary(status) {
        let error = SendError::retry(format!("{origin} answered {status}"));
        match retry_after(&answer.headers) {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    } else if status.is_redirection() {
        SendError::refused(format!(
            "{origin} answered {status}; only redirects with 307 and 308 are followed, configure \
             the final URL"
        ))
    } else {
        SendError::refused(format!("{origin} answered {status}"))
    };
    Err(error.with_status(status.as_u16()))
}

/// Whether a status tells of a state of the receiver that can pass, not of a fault of the report.
fn is_temporary(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429) || status.is_server_error()
}

/// The wait of a `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date.
///
/// A date is compared with the `Date` of the same answer, so the receiver's clock is compared with
/// itself and ours does not matter; only without one it is compared with ours. A date in the past
/// is no wait; anything unreadable is ignored.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Saturates at 136 years: more does not fit, and a caller can still add it to an instant.
        return Some(Duration::from_secs(value.parse::<u32>().unwrap_or(u32::MAX).into()));
    }
    since_answer(headers, date(headers, RETRY_AFTER)?)
}

/// How long it is from the answer to a point in time; zero for one in the past.
pub(super) fn since_answer(headers: &HeaderMap, until: jiff::Timestamp) -> Option<Duration> {
    let ours = || jiff::Timestamp::try_from(SystemClock::new().now().wall).ok();
    let wait = until.duration_since(date(headers, DATE).or_else(ours)?);
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// The point in time that a header holds, in the one format that RFC 9110, section 5.6.7, lets
/// servers write.
fn date(headers: &HeaderMap, name: HeaderName) -> Option<jiff::Timestamp> {
    let value = headers.get(name)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(value).ok()
}

#[cfg(test)]
mod tests {
    use ureq::http::Response;

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Result<(), SendError> {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        let (parts, ()) = answer.body(()).expect("a valid answer").into_parts();
        judge(&parts, "https://collector.example.com")
    }

    fn wait(headers: &[(&str, &str)]) -> Option<Duration> {
        answer(503, headers).expect_err("503 is no success").retry_after()
    }

    #[test]
    fn every_status_is_judged_and_nothing_but_2xx_is_success() {
        for status in 100..=999 {
            match (status, answer(status, &[])) {
                (200..=299, outcome) => assert_eq!(outcome, Ok(()), "{status}"),
                (_, Ok(())) => panic!("{status} was taken for success"),
                (_, Err(error)) => {
                    let temporary = matches!(status, 408 | 425 | 429 | 500..=599);
                    assert_eq!(error.is_retryable(), temporary, "{status}");
                    assert_eq!(error.status(), Some(status));
                    assert!(!error.maybe_delivered(), "{status}");
                    let text = error.to_string();
                    assert!(text.starts_with("https://collector.example.com answered"), "{text}");
                    assert!(text.contains(&status.to_string()), "{text}");
                }
            }
        }
    }

    #[test]
    fn seconds_to_wait_are_passed_on() {
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "120")]), Some(Duration::from_secs(120)));
        assert_eq!(wait(&[("retry-after", "0")]), Some(Duration::ZERO));
        let longest = Duration::from_secs(u32::MAX.into());
        assert_eq!(wait(&[("retry-after", "99999999999999999999999")]), Some(longest));
    }

    #[test]
    fn a_date_to_wait_for_is_read_by_the_receivers_own_clock() {
        let until = ("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT");
        let minute_before = ("date", "Fri, 31 Dec 1999 23:58:59 GMT");
        let after = ("date", "Sat, 01 Jan 2000 00:00:00 GMT");
        assert_eq!(wait(&[until, minute_before]), Some(Duration::from_secs(60)));
        assert_eq!(wait(&[until, after]), Some(Duration::ZERO));
        assert_eq!(wait(&[until]), Some(Duration::ZERO), "by our clock, long ago");
        let ahead = wait(&[("retry-after", "Thu, 31 Dec 9998 23:59:59 GMT")]);
        assert!(ahead > Some(Duration::from_secs(1_000_000_000)), "{ahead:?}");
    }

    #[test]
    fn an_unreadable_wait_is_no_wait() {
        for value in ["", "soon", "-1", "1.5", "+7", "\u{e9}"] {
            assert_eq!(wait(&[("retry-after", value)]), None, "{value:?}");
        }
    }

    #[test]
    fn a_final_refusal_has_nothing_to_wait_for() {
        let error = answer(400, &[("retry-after", "120")]).expect_err("refused");
        assert_eq!(error.retry_after(), None);
    }
}

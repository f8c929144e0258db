//! What a receiver asks for in the header `Callhome` of an answer that accepts a report.

use std::time::Duration;

use ureq::http::header::{HeaderMap, HeaderName};

use super::answer::since_answer;
use super::dictionary::{Value, parse};
use crate::sink::Hints;

const CALLHOME: HeaderName = HeaderName::from_static("callhome");

/// The most bytes of the header, all its lines together. What is longer is no wish of a receiver that
/// means well.
const LONGEST: usize = 1024;

/// What an answer asks for. Keys that nobody here knows are for later versions; a value that is none
/// is ignored for its key alone.
pub(super) fn hints(headers: &HeaderMap) -> Hints {
    let lines: Vec<&[u8]> = headers.get_all(CALLHOME).iter().map(|line| line.as_bytes()).collect();
    let text = lines.join(&b", "[..]);
    let text = std::str::from_utf8(&text).ok().filter(|text| text.len() <= LONGEST);
    let Some(members) = text.and_then(parse) else {
        return Hints::new().with_unclear("Callhome");
    };
    let last = |name| members.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let mut hints = Hints::new();
    hints = match last("every") {
        None => hints,
        Some(Value::Integer(seconds)) => match u64::try_from(seconds) {
            Ok(seconds) => hints.with_every(Duration::from_secs(seconds)),
            Err(_) => hints.with_unclear("every"),
        },
        Some(_) => hints.with_unclear("every"),
    };
    hints = match last("share") {
        None => hints,
        Some(Value::Decimal(share)) => hints.with_share(share),
        Some(Value::Integer(share)) => hints.with_share(share as f64),
        Some(_) => hints.with_unclear("share"),
    };
    match last("until") {
        None => hints,
        Some(Value::Date(seconds)) => match jiff::Timestamp::from_second(seconds) {
            Ok(until) => hints.with_pause(since_answer(headers, until).unwrap_or_default()),
            Err(_) => hints.with_unclear("until"),
        },
        Some(_) => hints.with_unclear("until"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ureq::http::HeaderValue;

    use super::*;

    const DATE: &str = "Fri, 31 Dec 1999 23:58:59 GMT"; // 946684739

    fn of(lines: &[&str]) -> Hints {
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_static(DATE));
        for line in lines {
            headers.append(CALLHOME, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        hints(&headers)
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_key_is_read_by_itself() {
        let none = Hints::new();
        let all = none.with_every(s(86_400)).with_share(0.1).with_pause(s(61));
        for (header, hints) in [
            ("every=86400, share=0.1, until=@946684800", all),
            ("every=86400;x=1, new, share=0.1;y, until=@946684800, other=(1 2)", all),
            ("", none),
            ("later=?1", none),
            ("every=60, every=86400", none.with_every(s(86_400))),
            ("every=-1, share=0.1", none.with_share(0.1).with_unclear("every")),
            ("every=\"86400\"", none.with_unclear("every")),
            ("every", none.with_unclear("every")),
            ("every=1.5", none.with_unclear("every")),
            ("every=999999999999999", none.with_every(s(30 * 86_400))),
            ("share=1", none.with_share(1.0)),
            ("share=0", none.with_share(0.0)),
            ("share=1.001, every=5", none.with_every(s(5)).with_unclear("share")),
            ("share=(0.1)", none.with_unclear("share")),
            ("until=@946684000", none.with_pause(s(0))),
            ("until=@253400000000", none.with_pause(s(30 * 86_400))),
            ("until=@999999999999", none.with_unclear("until")),
            ("until=@999999999999999", none.with_unclear("until")),
            ("until=946684800", none.with_unclear("until")),
            ("every=86400,", none.with_unclear("Callhome")),
            ("every=86400; share=0.1; until=@1, EVERY=3", none.with_unclear("Callhome")),
            ("in an hour, please", none.with_unclear("Callhome")),
        ] {
            assert_eq!(of(&[header]), hints, "{header}");
        }
    }

    #[test]
    fn lines_are_joined_and_a_long_one_is_ignored() {
        let both = Hints::new().with_every(s(5)).with_share(0.5);
        assert_eq!(of(&["every=5", "share=0.5"]), both);
        assert_eq!(of(&[]), Hints::new());
        let long = format!("every=5, x=\"{}\"", "x".repeat(LONGEST));
        assert_eq!(of(&[&long]), Hints::new().with_unclear("Callhome"));
    }

    #[test]
    fn a_date_is_compared_with_that_of_the_answer_or_else_with_our_own() {
        let mut headers = HeaderMap::new();
        let set = |headers: &mut HeaderMap, value: String| {
            headers.insert(CALLHOME, HeaderValue::try_from(value).unwrap());
        };
        set(&mut headers, "until=@946684800".into());
        assert_eq!(hints(&headers).pause(), Some(s(0)), "by our clock, long ago");
        set(&mut headers, "until=@253400000000".into());
        assert_eq!(hints(&headers).pause(), Some(Hints::LONGEST));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_ask_for_no_more_than_may_be_asked(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                "(every|share|until)=@?-?[0-9]{0,16}(\\.[0-9]{0,4})?".prop_map(String::into_bytes),
            ],
        ) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(CALLHOME, value);
            }
            let hints = hints(&headers);
            prop_assert!(hints.every().is_none_or(|every| every <= Hints::LONGEST));
            prop_assert!(hints.pause().is_none_or(|pause| pause <= Hints::LONGEST));
            prop_assert!(hints.share().is_none_or(|share| (0.0..=1.0).contains(&share)));
        }
    }
}

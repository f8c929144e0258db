//! The words that a value is made of.

use std::ffi::OsStr;

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    No,
    Yes,
    /// Collect, but let nothing leave.
    Local,
}

/// All words that are known. Compared after trimming, without regard to ASCII case.
pub(super) const WORDS: [(Meaning, &[&str]); 3] = [
    (Meaning::No, &["0", "false", "no", "off", "n", "f", "disable", "disabled", "never", "none"]),
    (Meaning::Yes, &["1", "true", "yes", "on", "y", "t", "enable", "enabled", "always"]),
    (Meaning::Local, &["local"]),
];

/// The words of a meaning, as they are listed in a message.
pub(super) fn listed(meaning: Meaning) -> String {
    let words = WORDS.iter().filter(|(other, _)| *other == meaning);
    words.flat_map(|(_, words)| words.iter().copied()).collect::<Vec<_>>().join(", ")
}

/// What a value says.
pub(super) enum Word {
    /// Unset, or nothing but white space.
    Silent,
    /// One of [`WORDS`], as it is spelled there.
    Known(Meaning, &'static str),
    /// Anything else, bytes that are not UTF-8 included.
    Unknown,
}

impl Word {
    /// Reads a value.
    pub(super) fn of(value: Option<&OsStr>) -> Word {
        let Some(value) = value else { return Word::Silent };
        let Some(text) = value.to_str() else { return Word::Unknown };
        let text = text.trim();
        if text.is_empty() {
            return Word::Silent;
        }
        let mut words = WORDS
            .iter()
            .flat_map(|(meaning, words)| words.iter().map(move |word| (*meaning, *word)));
        match words.find(|(_, word)| word.eq_ignore_ascii_case(text)) {
            Some((meaning, word)) => Word::Known(meaning, word),
            None => Word::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_one_meaning() {
        let mut words: Vec<&str> =
            WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}

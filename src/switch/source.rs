//! What one variable or setting says.

use std::ffi::{OsStr, OsString};
use std::fmt;

use super::decision::{Decision, Mode};
use super::words::{Meaning, Word, listed};

/// Which question a source answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polarity {
    /// "May it report?": a word for yes switches on.
    Permits,
    /// "Have you opted out?": a word for yes switches off.
    OptsOut,
}

impl Polarity {
    /// The mode that a word of this meaning asks for.
    fn mode(self, meaning: Meaning) -> Mode {
        match (self, meaning) {
            (_, Meaning::Local) => Mode::Local,
            (Polarity::Permits, Meaning::Yes) | (Polarity::OptsOut, Meaning::No) => Mode::On,
            (Polarity::Permits, Meaning::No) | (Polarity::OptsOut, Meaning::Yes) => Mode::Off,
        }
    }

    /// The words that are shown to people for off and for on.
    pub(super) fn off_and_on(self) -> (&'static str, &'static str) {
        match self {
            Polarity::Permits => ("off", "on"),
            Polarity::OptsOut => ("1", "0"),
        }
    }

    /// What can be said instead of a value that is not known.
    pub(super) fn remedy(self, name: &str) -> String {
        let (on, off) = match self {
            Polarity::Permits => (Meaning::Yes, Meaning::No),
            Polarity::OptsOut => (Meaning::No, Meaning::Yes),
        };
        let (on, off, local) = (listed(on), listed(off), listed(Meaning::Local));
        format!("set {name} to one of {on} for on, one of {off} for off, or {local}")
    }
}

/// What `name` says with this value; `None` when it says nothing.
pub(super) fn says(name: &str, polarity: Polarity, value: Option<&OsStr>) -> Option<Decision> {
    match Word::of(value) {
        Word::Silent => None,
        Word::Known(meaning, word) => {
            Some(Decision::new(polarity.mode(meaning), format!("{name}={word}")))
        }
        Word::Unknown => {
            let rule = format!("{name} has an unknown value");
            Some(Decision::not_understood(rule, polarity.remedy(name)))
        }
    }
}

/// What a command-line flag or another setting of the application says, for
/// [`Builder::setting`](crate::Builder::setting) and
/// [`Builder::opt_out_setting`](crate::Builder::opt_out_setting).
///
/// Made with `into()` from options of booleans or text, and from text. `None` and empty text say
/// nothing; text is read like an environment variable. There is no conversion from `bool`: a flag
/// that was not given says nothing, which is neither `true` nor `false`. For a flag without a
/// value that is `given.then_some(true)`.
#[derive(Clone, Default)]
pub struct Setting(Option<OsString>);

impl Setting {
    /// The value, if there is one.
    pub(super) fn value(&self) -> Option<&OsStr> {
        self.0.as_deref()
    }
}

/// Does not show the value: it may be a secret, put in the wrong place.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Setting(given)" } else { "Setting(not given)" })
    }
}

impl From<Option<bool>> for Setting {
    fn from(value: Option<bool>) -> Setting {
        Setting(value.map(|value| value.to_string().into()))
    }
}

macro_rules! from_text {
    ($($text:ty),*) => {$(
        impl From<$text> for Setting {
            fn from(value: $text) -> Setting {
                Setting(Some(value.into()))
            }
        }

        impl From<Option<$text>> for Setting {
            fn from(value: Option<$text>) -> Setting {
                Setting(value.map(Into::into))
            }
        }
    )*};
}

from_text!(&str, String, &OsStr, OsString);

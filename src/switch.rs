//! May anything be collected and sent, and which rule decided.

use std::ffi::{OsStr, OsString};
use std::fmt;

use crate::error::{Error, ErrorKind};

/// The variable by which an operator says no to every program at once:
/// <https://consoledonottrack.com>.
const DO_NOT_TRACK: &str = "DO_NOT_TRACK";

/// The words that mean no. Compared after trimming, without regard to ASCII case.
const OFF: &[&str] = &["0", "false", "no", "off", "n", "f", "disable", "disabled", "never", "none"];

/// The words that mean yes. Compared after trimming, without regard to ASCII case.
const ON: &[&str] = &["1", "true", "yes", "on", "y", "t", "enable", "enabled", "always"];

/// What a variable says.
enum Word {
    /// Unset, or nothing but white space.
    Silent,
    /// One of [`OFF`], as it is spelled there.
    Off(&'static str),
    /// One of [`ON`], as it is spelled there.
    On(&'static str),
    /// Anything else, bytes that are not UTF-8 included.
    Unknown,
}

impl Word {
    /// Reads the value of a variable.
    fn of(value: Option<&OsStr>) -> Word {
        let Some(value) = value else { return Word::Silent };
        let Some(text) = value.to_str() else { return Word::Unknown };
        let text = text.trim();
        if text.is_empty() {
            return Word::Silent;
        }
        let find = |words: &[&'static str]| {
            words.iter().copied().find(|word| word.eq_ignore_ascii_case(text))
        };
        match (find(OFF), find(ON)) {
            (Some(word), _) => Word::Off(word),
            (None, Some(word)) => Word::On(word),
            (None, None) => Word::Unknown,
        }
    }
}

/// The rules that decide whether anything is collected and sent.
///
/// In this order, the first that applies decides:
///
/// 1. `DO_NOT_TRACK` holds anything but a word for no: off.
/// 2. One of the application's variables holds a word for no, or a word that is not known: off.
/// 3. One of the application's variables holds a word for yes: on.
/// 4. On, the default.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    /// The application's own variables, without `DO_NOT_TRACK`.
    variables: Vec<String>,
}

impl Switch {
    /// A switch that reads `DO_NOT_TRACK` and the application's own `variables`, if any.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when a name is empty or holds `=` or NUL, as no environment variable
    /// can be called that; or when it is `DO_NOT_TRACK`, whose words mean the opposite.
    pub(crate) fn new<S: Into<String>>(
        variables: impl IntoIterator<Item = S>,
    ) -> Result<Switch, Error> {
        let variables: Vec<String> = variables.into_iter().map(Into::into).collect();
        for name in &variables {
            let wrong = if name.is_empty() || name.contains(['=', '\0']) {
                "is not the name of an environment variable: it must be non-empty, without `=` \
                 and NUL"
            } else if name.eq_ignore_ascii_case(DO_NOT_TRACK) {
                "cannot be the application's own: it is always read; leave it out"
            } else {
                continue;
            };
            return Err(Error::new(
                ErrorKind::Config,
                format!("the switch variable {name:?} {wrong}"),
            ));
        }
        Ok(Switch { variables })
    }

    /// Decides by the values that `lookup` gives for the names of variables; `None` is unset.
    pub(crate) fn decide(&self, lookup: &dyn Fn(&str) -> Option<OsString>) -> Decision {
        let word = |name: &str| Word::of(lookup(name).as_deref());

        match word(DO_NOT_TRACK) {
            Word::Silent | Word::Off(_) => {}
            Word::On(word) => return Decision::said(false, DO_NOT_TRACK, word),
            Word::Unknown => return Decision::new(false, format!("{DO_NOT_TRACK} is set")),
        }
        // A no anywhere is a no: it does not depend on which of several names the operator used.
        let mut yes = None;
        for name in &self.variables {
            match word(name) {
                Word::Silent => {}
                Word::Off(word) => return Decision::said(false, name, word),
                Word::On(word) => {
                    yes.get_or_insert_with(|| Decision::said(true, name, word));
                }
                Word::Unknown => return Decision::not_understood(name),
            }
        }
        yes.unwrap_or_else(|| Decision::new(true, "default".to_owned()))
    }

    /// Decides by the environment of this process, and warns of a value it does not know.
    pub(crate) fn decide_from_env(&self) -> Decision {
        let decision = self.decide(&|name| std::env::var_os(name));
        if let Some(warning) = decision.warning() {
            log::warn!("{warning}");
        }
        decision
    }
}

/// Whether anything is collected and sent, and the rule that decided.
///
/// Printed for the operator: `telemetry: off (DO_NOT_TRACK=1)`, `telemetry: on (default)`. A value
/// that is not one of the known words is never shown: it may be a secret, put in the wrong place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether anything is collected and sent.
    on: bool,
    /// What decided, in words.
    rule: String,
    /// The variable that decided because its value is not known.
    not_understood: Option<String>,
}

impl Decision {
    fn new(on: bool, rule: String) -> Decision {
        Decision { on, rule, not_understood: None }
    }

    /// A variable holds a known word.
    fn said(on: bool, name: &str, word: &str) -> Decision {
        Decision::new(on, format!("{name}={word}"))
    }

    /// A variable holds no known word. Off: it may have been meant as a no.
    fn not_understood(name: &str) -> Decision {
        let rule = format!("{name} has an unknown value");
        Decision { on: false, rule, not_understood: Some(name.to_owned()) }
    }

    /// What to tell the operator about a value that is not known.
    fn warning(&self) -> Option<String> {
        let name = self.not_understood.as_ref()?;
        Some(format!(
            "{self}: set {name} to one of {} for on, or one of {} for off",
            ON.join(", "),
            OFF.join(", ")
        ))
    }

    /// Whether anything is collected and sent.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// The rule that decided: `DO_NOT_TRACK=1`, `ELECTRIC_TELEMETRY=enabled`, `default`.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "telemetry: {} ({})", if self.on { "on" } else { "off" }, self.rule)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A failed test is what a panic is for.
mod tests {
    use super::*;

    /// `DO_NOT_TRACK`, `APP`, `OLD` (the application's second variable), what is displayed.
    type Row = (Option<&'static str>, Option<&'static str>, Option<&'static str>, &'static str);

    const ROWS: &[Row] = &[
        // Nothing said.
        (None, None, None, "on (default)"),
        (Some(""), None, None, "on (default)"),
        (Some(" \t"), None, None, "on (default)"),
        (None, Some(""), None, "on (default)"),
        (None, Some("  "), Some("\n"), "on (default)"),
        // DO_NOT_TRACK forbids.
        (Some("1"), None, None, "off (DO_NOT_TRACK=1)"),
        (Some("true"), None, None, "off (DO_NOT_TRACK=true)"),
        (Some("TRUE"), None, None, "off (DO_NOT_TRACK=true)"),
        (Some(" 1 "), None, None, "off (DO_NOT_TRACK=1)"),
        (Some("Yes\n"), None, None, "off (DO_NOT_TRACK=yes)"),
        (Some("on"), None, None, "off (DO_NOT_TRACK=on)"),
        (Some("enabled"), None, None, "off (DO_NOT_TRACK=enabled)"),
        (Some("2"), None, None, "off (DO_NOT_TRACK is set)"),
        (Some("please"), None, None, "off (DO_NOT_TRACK is set)"),
        (Some("00"), None, None, "off (DO_NOT_TRACK is set)"),
        (Some("no no"), None, None, "off (DO_NOT_TRACK is set)"),
        // DO_NOT_TRACK does not forbid.
        (Some("0"), None, None, "on (default)"),
        (Some("false"), None, None, "on (default)"),
        (Some(" OFF "), None, None, "on (default)"),
        (Some("none"), None, None, "on (default)"),
        (Some("0"), Some("0"), None, "off (APP=0)"),
        (Some("no"), Some("yes"), None, "on (APP=yes)"),
        // DO_NOT_TRACK comes first.
        (Some("1"), Some("1"), None, "off (DO_NOT_TRACK=1)"),
        (Some("1"), Some("0"), None, "off (DO_NOT_TRACK=1)"),
        (Some("x"), Some("on"), Some("on"), "off (DO_NOT_TRACK is set)"),
        (Some("t"), Some("what"), None, "off (DO_NOT_TRACK=t)"),
        // The application's variable says no.
        (None, Some("0"), None, "off (APP=0)"),
        (None, Some("false"), None, "off (APP=false)"),
        (None, Some("False"), None, "off (APP=false)"),
        (None, Some("NO"), None, "off (APP=no)"),
        (None, Some("\toff\r\n"), None, "off (APP=off)"),
        (None, Some("n"), None, "off (APP=n)"),
        (None, Some("F"), None, "off (APP=f)"),
        (None, Some("disable"), None, "off (APP=disable)"),
        (None, Some("Disabled"), None, "off (APP=disabled)"),
        (None, Some("never"), None, "off (APP=never)"),
        (None, Some("None"), None, "off (APP=none)"),
        // The application's variable says yes.
        (None, Some("1"), None, "on (APP=1)"),
        (None, Some("true"), None, "on (APP=true)"),
        (None, Some("YES"), None, "on (APP=yes)"),
        (None, Some(" On"), None, "on (APP=on)"),
        (None, Some("y"), None, "on (APP=y)"),
        (None, Some("T"), None, "on (APP=t)"),
        (None, Some("enable"), None, "on (APP=enable)"),
        (None, Some("eNaBlEd "), None, "on (APP=enabled)"),
        (None, Some("always"), None, "on (APP=always)"),
        // It is not understood.
        (None, Some("2"), None, "off (APP has an unknown value)"),
        (None, Some("offf"), None, "off (APP has an unknown value)"),
        (None, Some("tru e"), None, "off (APP has an unknown value)"),
        (None, Some("\"false\""), None, "off (APP has an unknown value)"),
        (None, Some("-1"), None, "off (APP has an unknown value)"),
        // Of several variables, a no decides; else the first yes.
        (None, None, Some("off"), "off (OLD=off)"),
        (None, None, Some("on"), "on (OLD=on)"),
        (None, Some(""), Some("y"), "on (OLD=y)"),
        (None, Some("on"), Some("1"), "on (APP=on)"),
        (None, Some("on"), Some("off"), "off (OLD=off)"),
        (None, Some("off"), Some("on"), "off (APP=off)"),
        (None, Some("never"), Some("0"), "off (APP=never)"),
        (None, Some("on"), Some("maybe"), "off (OLD has an unknown value)"),
    ];

    /// Decides with `APP` and `OLD` as the application's variables.
    fn decide(lookup: &dyn Fn(&str) -> Option<OsString>) -> Decision {
        Switch::new(["APP", "OLD"]).unwrap().decide(lookup)
    }

    #[test]
    fn the_table_of_decisions_holds() {
        for row in ROWS {
            let (dnt, app, old, shown) = *row;
            let decision = decide(&|name| match name {
                "DO_NOT_TRACK" => dnt.map(OsString::from),
                "APP" => app.map(OsString::from),
                "OLD" => old.map(OsString::from),
                _ => panic!("{name} is none of the switch's business"),
            });
            assert_eq!(decision.to_string(), format!("telemetry: {shown}"), "{row:?}");
            assert_eq!(decision.is_on(), shown.starts_with("on ("), "{row:?}");
            assert!(shown.ends_with(&format!(" ({})", decision.rule())), "{row:?}");
            let warns = shown.ends_with("has an unknown value)");
            assert_eq!(decision.warning().is_some(), warns, "{row:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn bytes_that_are_not_utf8_mean_off() {
        use std::os::unix::ffi::OsStringExt;
        for bytes in [&b"\xff"[..], b"on\xff", b" \xfe ", b"0\x80"] {
            for (set, rule) in
                [("DO_NOT_TRACK", "DO_NOT_TRACK is set"), ("APP", "APP has an unknown value")]
            {
                let value = OsString::from_vec(bytes.to_vec());
                let decision = decide(&|name| (name == set).then(|| value.clone()));
                assert_eq!((decision.is_on(), decision.rule()), (false, rule), "{bytes:?}");
            }
        }
    }

    #[test]
    fn a_warning_names_the_variable_and_the_words_but_not_the_value() {
        let secret = "hunter2";
        let decision = decide(&|name| (name == "APP").then(|| OsString::from(secret)));
        let warning = decision.warning().unwrap();
        for word in ON.iter().chain(OFF).chain(&["APP"]) {
            assert!(warning.contains(word), "{word} in {warning}");
        }
        let dnt = decide(&|name| (name == DO_NOT_TRACK).then(|| OsString::from(secret)));
        let shown = format!("{warning} {decision} {decision:?} {dnt} {dnt:?}");
        assert!(!shown.contains(secret), "{shown}");
    }

    #[test]
    fn without_variables_do_not_track_is_still_read() {
        let switch = Switch::new([""; 0]).unwrap();
        let decision = switch.decide(&|name| (name == DO_NOT_TRACK).then(|| "1".into()));
        assert_eq!(decision.to_string(), "telemetry: off (DO_NOT_TRACK=1)");
        assert!(switch.decide(&|_| None).is_on());
    }

    #[test]
    fn no_word_means_both() {
        assert!(OFF.iter().all(|word| !ON.contains(word)));
    }

    #[test]
    fn a_name_that_no_variable_can_have_is_refused() {
        for name in ["", "A=B", "=", "A\0B", "DO_NOT_TRACK", "do_not_track"] {
            let error = Switch::new(["APP", name]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
        }
        assert!(Switch::new(["APP", "_x1", "app.telemetry", "ÄPP"]).is_ok());
    }
}

//! The order of the sources, and the decision.

use std::ffi::OsString;
use std::path::PathBuf;

use super::ci::{CiPolicy, detect};
use super::decision::{Decision, Mode};
use super::file::ConfigKey;
use super::harness::is_test;
use super::source::{Polarity, Setting, says};
use super::words::{Meaning, Word};
use crate::error::Error;

/// The variable by which an operator says no to every program at once:
/// <https://consoledonottrack.com>.
const DO_NOT_TRACK: &str = "DO_NOT_TRACK";

/// The sources that are asked, and the default. See [`RULES`] for their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switch {
    /// The application's own variables, without `DO_NOT_TRACK`.
    variables: Vec<(Polarity, String)>,
    /// What the application was told otherwise, by the name under which it was told.
    settings: Vec<(Polarity, String, Setting)>,
    files: Vec<ConfigKey>,
    ci: CiPolicy,
    /// The mode when no source says anything; the maintainer must choose it.
    default: Option<Mode>,
    /// A test may send reports beyond this machine.
    in_tests: bool,
    /// What the application said last while the program runs.
    live: Option<bool>,
    /// The operator has to be shown a notice first, and was not.
    notice: bool,
}

/// How far reports would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// There is no sink.
    Nowhere,
    /// To a sink on this machine.
    Machine,
    /// To any other sink.
    Beyond,
}

/// What a decision is made from, apart from the switch itself.
pub(super) struct Surroundings<'a> {
    /// The value of an environment variable; `None` is unset.
    pub(super) lookup: &'a dyn Fn(&str) -> Option<OsString>,
    /// The path of this process's executable, if it is known.
    pub(super) executable: &'a dyn Fn() -> Option<PathBuf>,
}

impl Surroundings<'_> {
    /// Those of this process.
    fn process() -> Surroundings<'static> {
        Surroundings {
            lookup: &|name| std::env::var_os(name),
            executable: &|| std::env::current_exe().ok(),
        }
    }
}

/// A source, or several of the same rank.
pub(super) struct Rule {
    /// The source and what it does; the tests write `docs/SWITCH.md` with it.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) document: &'static str,
    /// The same of one switch, for the operator of the program that has it; nothing if the program
    /// does not ask this source.
    pub(super) tells: fn(&Switch) -> Vec<String>,
    /// What it says; `None` when it says nothing, and the next is asked.
    says: fn(&Switch, &Surroundings<'_>) -> Option<Decision>,
}

/// The sources, strongest first. The first that says anything decides, and no other is asked. Of
/// several of the same rank the strictest decides: a no anywhere is a no, for the operator does not
/// know which of several names to use.
pub(super) const RULES: [Rule; 7] = [
    Rule {
        document: "`DO_NOT_TRACK`: any value but an off word means off. It never means on.",
        tells: |_| {
            vec![format!(
                "`{DO_NOT_TRACK}=1` in the environment switches it off, and so does any other \
                 value that is not an off word. It never switches it on."
            )]
        },
        says: |_, here| match Word::of((here.lookup)(DO_NOT_TRACK).as_deref()) {
            Word::Silent | Word::Known(Meaning::No, _) => None,
            Word::Known(Meaning::Yes, word) => {
                Some(Decision::new(Mode::Off, format!("{DO_NOT_TRACK}={word}")))
            }
            Word::Known(Meaning::Local, _) | Word::Unknown => {
                Some(Decision::new(Mode::Off, format!("{DO_NOT_TRACK} is set")))
            }
        },
    },
    Rule {
        document: "The application while the program runs, if it says no.",
        tells: |_| vec!["A setting of the running program, where it has one: off.".to_owned()],
        says: |switch, _| (switch.live == Some(false)).then(|| Decision::live(Mode::Off)),
    },
    Rule {
        document: "The application's own environment variables.",
        tells: |switch| {
            let tell = |(polarity, name): &(Polarity, String)| {
                let (off, on) = polarity.off_and_on();
                format!(
                    "`{name}={off}` in the environment switches it off, `{name}={on}` switches it \
                     on, and with `{name}=local` reports are made and not sent."
                )
            };
            switch.variables.iter().map(tell).collect()
        },
        says: |switch, here| {
            let variables = switch.variables.iter();
            strictest(
                variables
                    .map(|(polarity, name)| says(name, *polarity, (here.lookup)(name).as_deref())),
            )
        },
    },
    Rule {
        document: "The application while the program runs, if it says yes.",
        tells: |_| vec!["A setting of the running program, where it has one: on.".to_owned()],
        says: |switch, _| (switch.live == Some(true)).then(|| Decision::live(Mode::On)),
    },
    Rule {
        document: "Its command-line flags and other settings.",
        tells: |switch| {
            let tell = |(polarity, name, _): &(Polarity, String, Setting)| match polarity {
                Polarity::Permits => {
                    format!("`{name}`: an off word switches it off, an on word switches it on.")
                }
                Polarity::OptsOut => {
                    format!("`{name}`: an on word switches it off, an off word switches it on.")
                }
            };
            switch.settings.iter().map(tell).collect()
        },
        says: |switch, _| {
            let settings = switch.settings.iter();
            strictest(
                settings.map(|(polarity, name, setting)| says(name, *polarity, setting.value())),
            )
        },
    },
    Rule {
        document: "A key of its JSON configuration file: `true`, `false`, or one of the words as a \
                   text. A file or a key that is not there says nothing. A file that cannot be \
                   read, is longer than 1 MiB or is not a JSON object means off, and so does a key \
                   with any other value or one that is there twice.",
        tells: |switch| {
            let tell = |ConfigKey { path, key }: &ConfigKey| {
                format!(
                    "`{key}` in `{}`: `false` or an off word switches it off, `true` or an on \
                     word switches it on.",
                    path.display()
                )
            };
            switch.files.iter().map(tell).collect()
        },
        says: |switch, _| strictest(switch.files.iter().map(ConfigKey::says)),
    },
    Rule {
        document: "CI, if the application does not report from there.",
        tells: |switch| match switch.ci {
            CiPolicy::Drop => vec!["In CI it is off.".to_owned()],
            CiPolicy::Tag | CiPolicy::Count => Vec::new(),
        },
        says: |switch, here| {
            let ci = (switch.ci == CiPolicy::Drop).then(|| detect(here.lookup)).flatten()?;
            Some(Decision::new(Mode::Off, format!("CI ({})", ci.variable)))
        },
    },
];

/// The first of those that let least leave.
fn strictest(said: impl Iterator<Item = Option<Decision>>) -> Option<Decision> {
    said.flatten().min_by_key(Decision::mode)
}

impl Switch {
    /// Asks one more environment variable.
    pub(crate) fn variable(&mut self, polarity: Polarity, name: String) {
        self.variables.push((polarity, name));
    }

    /// Adds one more setting.
    pub(crate) fn setting(&mut self, polarity: Polarity, name: String, setting: Setting) {
        self.settings.push((polarity, name, setting));
    }

    /// Asks one more file.
    pub(crate) fn file(&mut self, path: PathBuf, key: String) {
        self.files.push(ConfigKey { path, key });
    }

    /// The mode when no source says anything, if it was chosen.
    pub(super) fn default_mode(&self) -> Option<Mode> {
        self.default
    }

    /// Whether a notice has to be shown first.
    pub(super) fn has_notice(&self) -> bool {
        self.notice
    }

    /// The application's first variable, and a value by which it switches off.
    pub(super) fn own_off(&self) -> Option<(&str, &'static str)> {
        self.variables.first().map(|(polarity, name)| (&**name, polarity.off_and_on().0))
    }

    /// A variable of the application that takes the word `local`.
    pub(crate) fn first_variable(&self) -> Option<&str> {
        self.variables.first().map(|(_, name)| &**name)
    }

    /// What becomes of runs in CI.
    pub(crate) fn ci(&mut self, policy: CiPolicy) {
        self.ci = policy;
    }

    /// The mode when no source says anything.
    pub(crate) fn by_default(&mut self, mode: Mode) {
        self.default = Some(mode);
    }

    /// Whether a test may send reports beyond this machine.
    pub(crate) fn in_tests(&mut self, allowed: bool) {
        self.in_tests = allowed;
    }

    /// Whether nobody has said anything to it.
    pub(crate) fn is_untouched(&self) -> bool {
        let Switch { variables, settings, files, ci, default, in_tests, live, notice } = self;
        let empty = variables.is_empty() && settings.is_empty() && files.is_empty();
        empty
            && *ci == CiPolicy::default()
            && default.is_none()
            && live.is_none()
            && !in_tests
            && !notice
    }

    /// What the application says while the program runs.
    pub(crate) fn live(&mut self, on: bool) {
        self.live = Some(on);
    }

    /// Whether a notice has to be shown before anything is collected.
    pub(crate) fn notice(&mut self, pending: bool) {
        self.notice = pending;
    }

    /// Decides about this process.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a name that nothing can have, and when
    /// reports would go anywhere but the default was not chosen.
    pub(crate) fn decide(&self, reach: Reach) -> Result<Decision, Error> {
        self.decide_in(reach, &Surroundings::process())
    }

    /// Decides about a process in these surroundings.
    pub(super) fn decide_in(
        &self,
        reach: Reach,
        here: &Surroundings<'_>,
    ) -> Result<Decision, Error> {
        self.check()?;
        if self.default.is_none() && reach != Reach::Nowhere {
            return Err(Error::config(
                "nobody has said whether reporting is on when the operator says nothing: give \
                 the builder `opt_out` for on, or `opt_in` for off"
                    .to_owned(),
            ));
        }
        let mut decision =
            RULES.iter().find_map(|rule| (rule.says)(self, here)).unwrap_or_else(|| {
                Decision::new(self.default.unwrap_or(Mode::On), "default".to_owned())
            });
        if decision.mode() != Mode::Off && self.notice {
            decision = Decision::new(Mode::Off, "the notice was not shown yet".to_owned());
        }
        // Asked last: the path of the executable is read only where reports would leave.
        let leaves = decision.is_on() && reach == Reach::Beyond && !self.in_tests;
        if leaves && is_test((here.executable)().as_deref(), here.lookup) {
            decision = Decision::new(Mode::Off, "cargo test".to_owned());
        }
        if self.ci != CiPolicy::Count {
            decision.ci = detect(here.lookup).map(|ci| ci.vendor);
        }
        Ok(decision)
    }

    /// Whether all names are such as there can be.
    fn check(&self) -> Result<(), Error> {
        for (_, name) in &self.variables {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(Error::config(format!(
                    "the switch variable {name:?} is not the name of an environment variable: it \
                     must be non-empty, without `=` and NUL"
                )));
            }
            if name.eq_ignore_ascii_case(DO_NOT_TRACK) {
                return Err(Error::config(format!(
                    "the switch variable {name:?} cannot be the application's own: it is always \
                     read; leave it out"
                )));
            }
        }
        for (_, name, _) in &self.settings {
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                return Err(Error::config(format!(
                    "the setting {name:?} has no name to show: give the one the operator knows, \
                     like --telemetry"
                )));
            }
        }
        for ConfigKey { path, key } in &self.files {
            if path.as_os_str().is_empty() {
                return Err(Error::config(format!(
                    "the file of the key {key:?} has no path: give one"
                )));
            }
            if key.split('.').any(str::is_empty) || key.chars().any(char::is_control) {
                return Err(Error::config(format!(
                    "the key {key:?} of {path:?} is no path to a value: join the names on the way \
                     by dots"
                )));
            }
        }
        Ok(())
    }
}

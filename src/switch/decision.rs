//! What was decided, and by which rule.

use std::fmt;
use std::path::Path;

/// How far a report may go. The order is that of how much leaves: `Off < Local < On`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Nothing is collected and nothing is sent.
    Off,
    /// The operator wants to see the reports and sends none: they are collected and made as in
    /// [`On`](Mode::On), and written to a file ([`Builder::local_file`](crate::Builder::local_file))
    /// or the log. No connection is made.
    Local,
    /// Reports are sent.
    On,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Off => "off",
            Mode::Local => "local",
            Mode::On => "on",
        })
    }
}

/// Whether anything is collected and sent, and the rule that decided.
///
/// Printed for the operator: `telemetry: off (DO_NOT_TRACK=1)`, `telemetry: on (default)`. A value
/// that is not one of the known words is never shown: it may be a secret, put in the wrong place.
///
#[doc = include_str!("../../docs/SWITCH.md")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    mode: Mode,
    /// What decided, in words.
    rule: String,
    /// How to mend what could not be understood, if that is what decided.
    remedy: Option<String>,
    /// The CI system the process runs in, where the policy says that reports tell it.
    pub(super) ci: Option<&'static str>,
}

impl Decision {
    pub(super) fn new(mode: Mode, rule: String) -> Decision {
        Decision { mode, rule, remedy: None, ci: None }
    }

    /// The application has said so while the program runs.
    pub(super) fn live(mode: Mode) -> Decision {
        let said = if mode == Mode::Off { "off" } else { "on" };
        Decision::new(mode, format!("switched {said} while running"))
    }

    /// Off, because something cannot be understood: it may have been meant as a no.
    pub(super) fn not_understood(rule: String, remedy: String) -> Decision {
        Decision { remedy: Some(remedy), ..Decision::new(Mode::Off, rule) }
    }

    /// The same, said by a file.
    pub(super) fn within(self, file: &Path) -> Decision {
        Decision { rule: format!("{} in {file:?}", self.rule), ..self }
    }

    /// What to tell the operator about what could not be understood.
    pub(crate) fn warning(&self) -> Option<String> {
        self.remedy.as_ref().map(|remedy| format!("{self}: {remedy}"))
    }

    /// Whether reports are sent: the mode is [`Mode::On`].
    pub fn is_on(&self) -> bool {
        self.mode == Mode::On
    }

    /// How far reports may go.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The rule that decided: `DO_NOT_TRACK=1`, `ELECTRIC_TELEMETRY=enabled`, `default`.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The CI system that the process runs in: `GITHUB_ACTIONS`, `TRAVIS`, `OTHER` for one that
    /// says only that it is one. `None` outside CI, and with [`CiPolicy::Count`](crate::CiPolicy).
    pub fn ci(&self) -> Option<&'static str> {
        self.ci
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "telemetry: {} ({})", self.mode, self.rule)
    }
}

//! The settings of the switch.

use std::path::PathBuf;

use super::Builder;
use crate::switch::{CiPolicy, Mode, Polarity, Setting};

/// # The switch
///
/// Who says whether anything is reported, strongest first: `DO_NOT_TRACK`, which is always heeded;
/// the application's variables; its settings; its configuration file; CI; the default. The first
/// that says anything decides. [`Decision`](crate::Decision) has the whole table.
impl Builder {
    /// Reporting is on unless somebody says no. This or [`opt_in`](Builder::opt_in) must be said
    /// where there is an endpoint or a sink; the last one counts.
    pub fn opt_out(mut self) -> Builder {
        self.switch.by_default(Mode::On);
        self
    }

    /// Reporting is off unless somebody says yes.
    pub fn opt_in(mut self) -> Builder {
        self.switch.by_default(Mode::Off);
        self
    }

    /// The operator has to see a notice before anything is collected: reporting is off until the
    /// application calls [`notice_shown`](crate::CallHome::notice_shown), whatever else says yes.
    pub fn notice_first(mut self) -> Builder {
        self.switch.notice(true);
        self
    }

    /// Where reports are written when the switch says [`Local`](crate::Mode::Local): to this file,
    /// a line each. Default: to the log, at the level `info` and with the target
    /// `callhome::report`.
    pub fn local_file(mut self, path: impl Into<PathBuf>) -> Builder {
        self.local_file = Some(path.into());
        self
    }

    /// An environment variable of the application that switches reporting off (`0`, `false`,
    /// `no`, `off`, `disabled`, …) or on (`1`, `true`, …), or keeps it `local`
    /// ([`Mode::Local`]). Empty is as good as unset, and any other value means off. May be said
    /// more than once: off wins. `DO_NOT_TRACK` is always heeded, comes first, and cannot be given
    /// here.
    ///
    /// ```
    /// # use callhome::{CallHome, Schema};
    /// # let builder = || CallHome::builder(Schema::new("s").counter("n"));
    /// builder().switch("ELECTRIC_TELEMETRY"); // ELECTRIC_TELEMETRY=disabled
    /// builder().switch("ZO_TELEMETRY"); // ZO_TELEMETRY=false
    /// builder().switch("HASURA_GRAPHQL_ENABLE_TELEMETRY"); // HASURA_GRAPHQL_ENABLE_TELEMETRY=false
    /// builder().opt_out_switch("RESOTOCORE_ANALYTICS_OPT_OUT"); // RESOTOCORE_ANALYTICS_OPT_OUT=true
    /// ```
    pub fn switch(mut self, variable: impl Into<String>) -> Builder {
        self.switch.variable(Polarity::Permits, variable.into());
        self
    }

    /// The same for a variable that asks the opposite: `1`, `true` and the like opt out, `0`,
    /// `false` and the like switch reporting on.
    pub fn opt_out_switch(mut self, variable: impl Into<String>) -> Builder {
        self.switch.variable(Polarity::OptsOut, variable.into());
        self
    }

    /// A command-line flag, or another setting that the application has read itself, under the name
    /// that the operator knows. `None` and empty text say nothing; text is read like a variable.
    /// May be said more than once: off wins.
    ///
    /// ```
    /// # use callhome::{CallHome, Schema};
    /// # let builder = || CallHome::builder(Schema::new("s").counter("n"));
    /// let enable_telemetry = Some(false); // --enable-telemetry=false
    /// builder().setting("--enable-telemetry", enable_telemetry);
    /// let opt_out = true; // --analytics-opt-out
    /// builder().opt_out_setting("--analytics-opt-out", opt_out.then_some(true));
    /// ```
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<Setting>) -> Builder {
        self.switch.setting(Polarity::Permits, name.into(), value.into());
        self
    }

    /// The same for a setting that asks the opposite: true opts out, false switches reporting on.
    pub fn opt_out_setting(
        mut self,
        name: impl Into<String>,
        value: impl Into<Setting>,
    ) -> Builder {
        self.switch.setting(Polarity::OptsOut, name.into(), value.into());
        self
    }

    /// A key of a JSON file of the application: `true`, `false`, or a text that is read like a
    /// variable. Dots lead into nested objects: `telemetry.enabled`. A file or key that is not
    /// there says nothing; a file that cannot be read, is longer than 1 MiB or is no JSON object
    /// means off, and so does any other value. May be said more than once: off wins. `~` in the
    /// path is not replaced.
    ///
    /// The file is read once, by `build` or `install`, and only if no stronger source says
    /// anything.
    pub fn config_file(mut self, path: impl Into<PathBuf>, key: impl Into<String>) -> Builder {
        self.switch.file(path.into(), key.into());
        self
    }

    /// What becomes of runs in CI. Default: [`CiPolicy::Tag`].
    pub fn ci(mut self, policy: CiPolicy) -> Builder {
        self.switch.ci(policy);
        self
    }

    /// Whether reports may leave this machine when `cargo test` runs the program. Default: no; the
    /// rule is then `cargo test`.
    ///
    /// Sinks that stay on this machine ([`Sink::is_local`](crate::sink::Sink::is_local)) are not
    /// concerned: memory, files, and an endpoint at a loopback address. A test is recognised by its
    /// executable, which lies where Cargo puts tests, benchmarks and documentation tests, and under
    /// nextest by `NEXTEST`. The application's own program that an integration test starts is
    /// recognised under nextest and by Cargo's run-time variable `CARGO_BIN_EXE_` and its name,
    /// which older versions of Cargo do not set; set `DO_NOT_TRACK=1` for it there. Other build
    /// systems are not recognised.
    pub fn in_tests(mut self, allowed: bool) -> Builder {
        self.switch.in_tests(allowed);
        self
    }
}

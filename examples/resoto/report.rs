//! What Resoto reports: its usage, with what its telemetry page lists, and events, each with a context
//! and counters. No id of an installation is among it.

use std::time::{Duration, SystemTime};

use callhome::{CallHome, Schema};
use metrics::counter;

/// A core that has run for so long is long-running.
const LONG: Duration = Duration::from_secs(60 * 60);

/// The usage report.
pub(crate) fn usage() -> Schema {
    Schema::new("resoto")
        .strict()
        .counter("started_cores")
        .describe("Cores that were started")
        .counter("long_running_cores")
        .describe("Cores that have run for an hour")
        .series("cli_commands_executed", |s| s.seen("command").at_most(64).as_object())
        .describe("By the command's name, never its arguments")
        .counter("jobs_executed")
        .describe("Jobs that are done")
        .series("errors", |s| s.seen("kind"))
        .describe("By the error's type, never its message")
}

/// An event in the form that PostHog gives to one. What it is about is in its properties.
fn event(kind: &'static str, properties: impl FnOnce(Schema) -> Schema) -> Schema {
    Schema::new(kind)
        .strict()
        .fact("event", kind)
        .describe("What happened")
        .instance_id("distinct_id") // nobody is told apart for longer
        .describe("Groups the events of one process")
        .fact_with("timestamp", SystemTime::now)
        .describe("When")
        .example("2026-01-01T00:00:00.000000Z")
        .section("properties", properties)
}

/// All kinds of events.
pub(crate) fn events() -> [Schema; 3] {
    let started = |s: Schema| {
        let s = s.given("version").describe("Version of the core").example("3.0.0");
        s.os("os").describe("Operating system").cores("cores").describe("Processors it may use")
    };
    let job = |s: Schema| {
        let s = s.given("name").describe("The job's name in the code").example("collect");
        let s = s.given_or("steps", 0).describe("Its steps");
        s.given_or("seconds", 0.0).unit("seconds").describe("How long it took")
    };
    let failed = |s: Schema| {
        s.given("kind").describe("The error's type, never its message").example("ConnectionError")
    };
    [event("core.started", started), event("job.finished", job), event("error", failed)]
}

/// A core, as far as its telemetry knows it.
pub(crate) struct Core {
    is_long_running: bool,
}

impl Core {
    /// It starts.
    pub(crate) fn start(events: &CallHome) -> Result<Core, callhome::Error> {
        counter!("started_cores").increment(1);
        events.event("core.started").set("properties.version", env!("CARGO_PKG_VERSION")).send()?;
        Ok(Core { is_long_running: false })
    }

    /// It looks now and then for how long it has run.
    pub(crate) fn has_run(&mut self, uptime: Duration) {
        if uptime >= LONG && !self.is_long_running {
            self.is_long_running = true;
            counter!("long_running_cores").increment(1);
        }
    }

    /// A command is run. Its name comes from the table of commands, whatever the user has typed.
    pub(crate) fn run_command(&self, name: &'static str) {
        counter!("cli_commands_executed", "command" => name).increment(1);
    }

    /// A job is done.
    pub(crate) fn run_job(
        &self,
        name: &'static str,
        steps: u64,
        events: &CallHome,
    ) -> Result<(), callhome::Error> {
        counter!("jobs_executed").increment(1);
        let event = events.event("job.finished").set("properties.name", name);
        event.set("properties.steps", steps).set("properties.seconds", 0.5).send()
    }

    /// Something went wrong: of what kind is said, and no more.
    pub(crate) fn fail(
        &self,
        kind: &'static str,
        events: &CallHome,
    ) -> Result<(), callhome::Error> {
        counter!("errors", "kind" => kind).increment(1);
        events.event("error").set("properties.kind", kind).send()
    }
}

//! The events of Hasura's command line and of its console: one document for each command that was
//! run and for each error that was shown.

use std::time::{Duration, SystemTime};

use callhome::route::template;
use callhome::{Builder, CallHome, Fact, Schema};
use uuid::Uuid;

use super::common::Result;

/// What a user waits for at the end of a command, at most.
const BUDGET: Duration = Duration::from_secs(2);

/// The console's pages. What a path has in place of the words in capitals never leaves.
const ROUTES: [&str; 4] = [
    "/data/schema/:SCHEMA_NAME/tables/:TABLE_NAME/modify",
    "/data/schema/:SCHEMA_NAME/tables/:TABLE_NAME/browse",
    "/remote-schemas/manage/:REMOTE_SCHEMA_NAME/details",
    "/events/data/:TRIGGER_NAME/modify",
];

/// One execution of the command line. Error messages, arguments and flags have no field.
pub(crate) fn command_line(
    version: &'static str,
    platform: &'static str,
    arch: &'static str,
) -> Builder {
    let given = |s: Schema, name, about| s.given(name).describe(about);
    let s =
        Schema::new("command").strict().describe("Sent at the end of each command that is run.");
    let s = given(s, "id", "The event's number").example(115);
    let s = given(s, "timestamp", "When it was run").example("2019-01-21T11:36:07.86783+00:00");
    let s = s.cluster_id("uuid").describe("Groups the commands of one machine");
    let s = given(s, "execution_id", "Tells this run from others");
    let s = s.fact("version", version).describe("Version of the command line");
    let s = given(s, "command", "The command, without arguments").example("hasura version");
    let s = s.given_or("is_error", false).describe("Whether it failed");
    let s = s.fact("os_platform", platform).describe("Operating system");
    let s = s.fact("os_arch", arch).describe("Architecture");
    let s = given(s, "server_uuid", "The id of the server's database");
    let s = given(s, "server_version", "Version of the server").example("v1.0.0-alpha36");
    let command = given(s, "payload", "What some commands add; none does by now");
    CallHome::builder(Schema::new("hasura_cli")).event(command).bare()
}

/// One error of the console at run time.
pub(crate) fn console() -> Builder {
    let url = "/data/schema/SCHEMA_NAME/tables/TABLE_NAME/modify";
    let error = Schema::new("error")
        .strict()
        .describe("Sent for each error that the console shows.")
        .given("server_version")
        .describe("Version of the server")
        .example("2.0.0")
        .fact("event_type", "Main/RUN_TIME_ERROR")
        .describe("What happened")
        .given("url")
        .describe("The page, without the names of anybody's things")
        .example(url)
        .fact("console_mode", "cli")
        .describe("What serves the console")
        .cluster_id("cli_uuid")
        .describe("Groups the errors of one machine")
        .given("server_uuid")
        .describe("The id of the server's database")
        .section("data", |s| {
            let s = s.given("message").describe("The console's own message");
            s.given_list("stack")
                .describe("Where in the console's own code")
                .example("at main.js:1:3")
        });
    CallHome::builder(Schema::new("hasura_console")).event(error).bare()
}

/// What a page is called without the names of anybody's things; null for one that is unknown.
pub(crate) fn page(path: &str) -> Option<Fact> {
    template(path, &ROUTES).map(Fact::text)
}

/// How they are sent. The id is kept where the command line has its settings.
pub(crate) fn settings(events: Builder, url: &str) -> Builder {
    let events = events.endpoint(url).cluster_id(Uuid::new_v4().to_string());
    events.opt_out().switch("HASURA_GRAPHQL_ENABLE_TELEMETRY") // and DO_NOT_TRACK, always
}

/// Runs a command, and shows an error in the console.
pub(crate) fn run(url: &str) -> Result {
    // Built, and not installed: a command needs no thread.
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH };
    let command = command_line(env!("CARGO_PKG_VERSION"), std::env::consts::OS, arch);
    let command = settings(command, url).build()?;
    let event = command.event("command").set("timestamp", SystemTime::now());
    let event = event.set("execution_id", Fact::text(Uuid::new_v4().to_string()));
    event.set("command", "hasura migrate apply").set("is_error", true).send()?;
    command.shutdown(BUDGET).last_error().map_or(Ok(()), |error| Err(error.to_owned()))?;

    let console = settings(console(), url).build()?;
    let error = console.event("error").set("url", page("/data/schema/hr/tables/wages/browse?id=7"));
    error.set("data.message", "Network request failed").send()?;
    console.flush()?;
    Ok(())
}

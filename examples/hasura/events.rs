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
    let command = Schema::new("command")
        .given("id")
        .given("timestamp")
        .cluster_id("uuid")
        .given("execution_id")
        .fact("version", version)
        .given("command")
        .given_or("is_error", false)
        .fact("os_platform", platform)
        .fact("os_arch", arch)
        .given("server_uuid")
        .given("server_version")
        .given("payload");
    CallHome::builder(Schema::new("hasura_cli")).event(command).bare()
}

/// One error of the console at run time.
pub(crate) fn console() -> Builder {
    let error = Schema::new("error")
        .given("server_version")
        .fact("event_type", "Main/RUN_TIME_ERROR")
        .given("url")
        .fact("console_mode", "cli")
        .cluster_id("cli_uuid")
        .given("server_uuid")
        .section("data", |s| s.given("message").given_list("stack"));
    CallHome::builder(Schema::new("hasura_console")).event(error).bare()
}

/// What a page is called without the names of anybody's things; null for one that is unknown.
pub(crate) fn page(path: &str) -> Option<Fact> {
    template(path, &ROUTES).map(Fact::text)
}

/// Runs a command, and shows an error in the console.
pub(crate) fn run(url: &str) -> Result {
    let home = |builder: Builder| {
        let builder = builder.endpoint(url).cluster_id(Uuid::new_v4().to_string());
        builder.opt_out().switch("HASURA_GRAPHQL_ENABLE_TELEMETRY")
    };
    // Built, and not installed: a command needs no thread.
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH };
    let command = command_line(env!("CARGO_PKG_VERSION"), std::env::consts::OS, arch);
    let command = home(command).build()?;
    let event = command.event("command").set("timestamp", SystemTime::now());
    let event = event.set("execution_id", Fact::text(Uuid::new_v4().to_string()));
    event.set("command", "hasura migrate apply").set("is_error", true).send()?;
    command.shutdown(BUDGET).last_error().map_or(Ok(()), |error| Err(error.to_owned()))?;

    let console = home(console()).build()?;
    let error = console.event("error").set("url", page("/data/schema/hr/tables/wages/browse?id=7"));
    error.set("data.message", "Network request failed").send()?;
    console.flush()?;
    Ok(())
}

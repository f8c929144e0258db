//! How each report is sent, and the documents that are made of them: a page and a JSON Schema each.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use callhome::{Builder, CallHome, Page, Schema};
use uuid::Uuid;

use super::common::{self, Result};
use super::engine::{CONNECTED, Settings};
use super::enterprise::Edition;
use super::{events, server};

/// A report of the server, to this URL.
pub(crate) fn report(schema: Schema, url: &str) -> Builder {
    CallHome::builder(schema).endpoint(url).every(Duration::from_secs(24 * 60 * 60)).bare()
}

/// What is said once for all reports of a process: the switch, and the id of the database, which is in
/// its metadata.
pub(crate) fn first(report: Builder) -> Builder {
    report
        .cluster_id_with(|| -> Result<_> { Ok(Some(Uuid::new_v4().to_string())) })
        .opt_out()
        .switch("HASURA_GRAPHQL_ENABLE_TELEMETRY") // and DO_NOT_TRACK, always
}

/// The documents, by their names: `page` and `schema` are those of the server's report.
pub(crate) const PRINTS: [common::Print; 14] = [
    ("page", || page("the Hasura server", tracked())),
    ("schema", || contract(tracked())),
    ("ee_features.page", || page("the features of Hasura's enterprise edition", features())),
    ("ee_features.schema", || contract(features())),
    ("ee_source.page", || page("a data source of Hasura's enterprise edition", source())),
    ("ee_source.schema", || contract(source())),
    ("ee_labelled.page", || page("the metrics of Hasura's enterprise edition", labelled())),
    ("ee_labelled.schema", || contract(labelled())),
    ("service_timings.page", || page("the times of Hasura's requests", server::service_timings())),
    ("service_timings.schema", || contract(server::service_timings())),
    ("cli.page", || events_page("Hasura's command line", command())),
    ("cli.schema", || Ok(command().to_json_schema()?)),
    ("console.page", || events_page("errors of Hasura's console", events::console())),
    ("console.schema", || Ok(events::console().to_json_schema()?)),
];

const EDITION: Edition = Edition {
    version: "v2.23.0",
    license: "e86e5a54-ad3b-49e6-98ca-ab34b0a50f8f",
    client: None,
    sample: String::new,
};

fn tracked() -> Schema {
    server::server("v1.0.0-alpha36", || 0, || SystemTime::now().into(), Arc::default())
}

fn features() -> Schema {
    EDITION.features(Settings::default())
}

fn source() -> Schema {
    EDITION.source(CONNECTED[0])
}

fn labelled() -> Schema {
    EDITION.labelled()
}

const URL: &str = "https://telemetry.example.com/v1/http";

fn documented(schema: Schema) -> Builder {
    first(report(schema, URL))
}

fn command() -> Builder {
    events::command_line("v0.4.27", "linux", "amd64")
}

fn contract(schema: Schema) -> Result<String> {
    Ok(documented(schema).to_json_schema()?)
}

fn events_page(of: &str, events: Builder) -> Result<String> {
    let page = Page::new(of)
        .why("To know which commands are used, and what fails.")
        .never("Arguments, flags, names of anybody's things, and who the users are.")
        .retention("Reports are deleted after two years.");
    Ok(events::settings(events, URL).to_markdown(&page)?)
}

fn page(of: &str, schema: Schema) -> Result<String> {
    let page = Page::new(of)
        .why("To know which features are used, and how much, and to find what breaks.")
        .sent_to("Reports come from the server alone, not from the applications that ask it.")
        .never("Names of tables, columns and roles, queries, rows, and who the users are.")
        .retention("Reports are deleted after two years.");
    Ok(documented(schema).to_markdown(&page)?)
}

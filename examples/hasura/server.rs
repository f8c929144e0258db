//! What Hasura's server reports: what is tracked, and how long requests take.

use std::sync::{Arc, Mutex, PoisonError};

use callhome::{Fact, Schema};

use super::engine::Metadata;
use super::names::{ATTACHED, PERMISSIONS, RELATIONSHIPS, TRACKED, described};

/// The server's report. One look at the metadata gives all its counts.
pub(crate) fn server(
    version: &'static str,
    id: impl Fn() -> u64 + Send + Sync + 'static,
    time: impl Fn() -> Fact + Send + Sync + 'static,
    metadata: Arc<Mutex<Metadata>>,
) -> Schema {
    Schema::new("hasura_server")
        .strict()
        .fact_with("id", id)
        .describe("The report's number")
        .example(12)
        .fact_with("timestamp", time)
        .describe("When it was made")
        .example("2019-01-21T19:43:33.63838+00:00")
        .cluster_id("db_uid")
        .describe("Groups the reports of one database")
        .instance_id("instance_uid")
        .describe("Groups the reports of one process")
        .fact("version", version)
        .describe("Version of the server")
        .ci("ci")
        .describe("The CI system that it runs in, if it does")
        .section("metrics", |s| {
            let s = described(s, &TRACKED)
                .section("permissions", |s| described(s, &PERMISSIONS))
                .section("relationships", |s| described(s, &RELATIONSHIPS));
            described(s, &ATTACHED).filled_by(move |values| {
                let m = metadata.lock().unwrap_or_else(PoisonError::into_inner).clone();
                values.set("views", m.views).set("tables", m.tables);
                values.set("functions", m.functions).set("permissions.roles", m.roles);
                for (what, count) in
                    ["delete", "insert", "select", "update"].iter().zip(m.permissions)
                {
                    values.set(format!("permissions.{what}"), count);
                }
                let [auto, manual] = m.relationships;
                values.set("relationships.auto", auto).set("relationships.manual", manual);
                values.set("event_triggers", m.event_triggers);
                values.set("remote_schemas", m.remote_schemas);
            })
        })
}

/// How long requests took, in buckets: since the server started, so that one that arrives twice does
/// no harm, and with the start beside it, by which a receiver knows one that began anew. The labels'
/// values are closed enums; what is none of them has no row.
pub(crate) fn service_timings() -> Schema {
    Schema::new("hasura_service_timings")
        .strict()
        .instance_id("instance_uid")
        .describe("Groups the reports of one process")
        .started_at("collection_tag")
        .describe("Since when it counts")
        .buckets("service_timings", [0.0, 0.001, 0.05, 1.0, 3600.0], |s| {
            s.values("query_type", ["query", "mutation"])
                .values("transport", ["http", "websocket"])
                .values("cache", ["hit", "miss"])
        })
        .describe("How long requests took, and how many took so long")
        .unit("seconds")
        .cumulative()
}

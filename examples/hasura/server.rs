//! What Hasura's server reports: what is tracked, and how long requests take.

use std::sync::{Arc, Mutex, PoisonError};

use callhome::{Fact, Schema};

use super::engine::Metadata;

/// The server's report. One look at the metadata gives all its counts.
pub(crate) fn server(
    version: &'static str,
    id: impl Fn() -> u64 + Send + Sync + 'static,
    time: impl Fn() -> Fact + Send + Sync + 'static,
    metadata: Arc<Mutex<Metadata>>,
) -> Schema {
    Schema::new("hasura_server")
        .fact_with("id", id)
        .fact_with("timestamp", time)
        .cluster_id("db_uid")
        .instance_id("instance_uid")
        .fact("version", version)
        .ci("ci")
        .section("metrics", |s| {
            s.values(["views", "tables", "functions"])
                .section("permissions", |s| {
                    s.values(["roles", "delete", "insert", "select", "update"])
                })
                .section("relationships", |s| s.values(["auto", "manual"]))
                .values(["event_triggers", "remote_schemas"])
                .filled_by(move |values| {
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
        .instance_id("instance_uid")
        .started_at("collection_tag")
        .buckets("service_timings", [0.0, 0.001, 0.05, 1.0, 3600.0], |s| {
            s.values("query_type", ["query", "mutation"])
                .values("transport", ["http", "websocket"])
                .values("cache", ["hit", "miss"])
        })
        .unit("seconds")
        .cumulative()
}

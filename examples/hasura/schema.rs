//! All that Hasura reports: of the server, of what the enterprise edition has switched on, of each
//! data source, and of the metrics that the engine has for Prometheus.

use std::sync::{Arc, Mutex, PoisonError};

use callhome::{Fact, Schema, Series};

use super::engine::{Metadata, Settings};

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

/// What all reports of the enterprise edition begin with.
pub(crate) struct Edition {
    pub(crate) version: &'static str,
    pub(crate) license: &'static str,
    pub(crate) client: Option<&'static str>,
    /// A new id for each report.
    pub(crate) sample: fn() -> String,
}

impl Edition {
    fn schema(&self, name: &str) -> Schema {
        let sample = self.sample;
        Schema::new(name)
            .fact("license_jti", self.license)
            .fact("client_id", self.client)
            .cluster_id("metadata_db_uid")
            .instance_id("instance_uid")
            .fact_with("sample_uid", move || Fact::text(sample()))
            .fact("hasura_version", self.version)
    }

    /// Which features are on, and how much they are used.
    pub(crate) fn features(&self, settings: Settings) -> Schema {
        let schema = self.schema("hasura_ee_features");
        schema.section("metrics", |s| {
            s.values(FEATURES).filled_by(move |v| settings.give(&FEATURES, v))
        })
    }

    /// What one data source has. There is a report for each.
    pub(crate) fn source(&self, settings: Settings) -> Schema {
        let schema = self.schema("hasura_ee_source");
        schema
            .section("metrics", |s| s.values(SOURCE).filled_by(move |v| settings.give(&SOURCE, v)))
    }

    /// What the engine has counted for Prometheus, by the names that it has there.
    pub(crate) fn labelled(&self) -> Schema {
        let (counter, gauge) = (Series::counter, Series::gauge);
        let by_status = counter().values("status", ["success"]).others();
        let requests = counter().values("operation_type", ["query"]).others();
        let requests = requests.values("response_status", ["failed"]).others();
        let connections = gauge().values("role", ["primary"]).others().seen("source_name");
        let metrics = [
            ("hasura_action_request_bytes_total", counter()),
            ("hasura_action_response_bytes_total", counter()),
            ("hasura_active_subscriptions", gauge()),
            ("hasura_cron_events_invocation_total", by_status.clone()),
            ("hasura_event_invocations_total", by_status),
            ("hasura_event_trigger_http_workers", gauge()),
            ("hasura_events_fetched_per_batch", gauge()),
            ("hasura_event_trigger_request_bytes_total", counter()),
            ("hasura_event_trigger_response_bytes_total", counter()),
            ("hasura_graphql_requests_total", requests),
            ("hasura_http_connections", gauge()),
            ("hasura_http_request_bytes_total", counter()),
            ("hasura_http_response_bytes_total", counter()),
            ("hasura_metadata_resource_version", gauge()),
            ("hasura_postgres_connections", connections),
            ("hasura_scheduled_trigger_request_bytes_total", counter()),
            ("hasura_scheduled_trigger_response_bytes_total", counter()),
            ("hasura_websocket_connections", gauge()),
            ("hasura_websocket_messages_received_bytes_total", counter()),
            ("hasura_websocket_messages_sent_bytes_total", counter()),
        ];
        self.schema("hasura_ee_labelled").section("metrics", |s| s.metrics(metrics))
    }
}

#[rustfmt::skip]
const FEATURES: [&str; 32] = [
    "api_limits_enabled", "api_limits_roles_with_limits", "api_limits_rate_limits",
    "api_limits_depth_limits", "api_limits_node_limits", "api_limits_time_limits",
    "api_limits_batch_limits", "prometheus_endpoint_enabled", "prometheus_secret_enabled",
    "otel_enabled", "otel_traces_enabled", "allow_list_roles", "logs_http_response_log_enabled",
    "logs_api_limit_log_enabled", "logs_live_query_poller_log_enabled",
    "logs_caching_log_enabled", "logs_tracing_log_enabled", "logs_metrics_log_enabled",
    "logs_health_check_log_enabled", "rate_limiting_enabled", "caching_enabled", "remote_schemas",
    "actions_synchronous", "actions_asynchronous", "actions_query", "actions_type_relationships",
    "actions_custom_types", "resource_cpu", "resource_memory", "resource_checker_error_code",
    "jwt_secrets_configured", "admin_secrets_configured",
];

#[rustfmt::skip]
const SOURCE: [&str; 18] = [
    "backend_type", "read_replicas", "health_check_enabled", "tables", "views", "enum_tables",
    "relationships_manual", "relationships_auto", "permissions_select", "permissions_insert",
    "permissions_update", "permissions_delete", "permissions_roles", "event_triggers", "functions",
    "native_queries", "query_tags_enabled", "connection_templates_enabled",
];

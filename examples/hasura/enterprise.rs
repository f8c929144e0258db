//! What the enterprise edition reports besides: which features are on, what each data source has, and
//! the metrics that the engine has for Prometheus.

use callhome::{Fact, Schema, Series};

use super::engine::{FEATURES, SOURCE, Settings};

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

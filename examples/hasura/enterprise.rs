//! What the enterprise edition reports besides: which features are on, what each data source has, and
//! the metrics that the engine has for Prometheus.

use callhome::{Fact, Schema, Series};

use super::engine::Settings;
use super::names::{FEATURES, SOURCE, described};

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
            .strict()
            .fact("license_jti", self.license)
            .describe("The licence's id")
            .fact("client_id", self.client)
            .describe("The customer's id, where there is one")
            .cluster_id("metadata_db_uid")
            .describe("Groups the reports of one metadata database")
            .instance_id("instance_uid")
            .describe("Groups the reports of one process")
            .fact_with("sample_uid", move || Fact::text(sample()))
            .describe("Tells this report from others")
            .example("2a18421a-baff-466b-bf34-b7fd6a5c76c8")
            .fact("hasura_version", self.version)
            .describe("Version of the server")
    }

    /// Which features are on, and how much they are used.
    pub(crate) fn features(&self, settings: Settings) -> Schema {
        let schema = self.schema("hasura_ee_features");
        schema.section("metrics", |s| {
            described(s, &FEATURES).filled_by(move |v| settings.give(&FEATURES, v))
        })
    }

    /// What one data source has. There is a report for each.
    pub(crate) fn source(&self, settings: Settings) -> Schema {
        let schema = self.schema("hasura_ee_source");
        schema.section("metrics", |s| {
            described(s, &SOURCE).filled_by(move |v| settings.give(&SOURCE, v))
        })
    }

    /// What the engine has counted for Prometheus, by the names that it has there.
    pub(crate) fn labelled(&self) -> Schema {
        let (counter, gauge) = (Series::counter, Series::gauge);
        let by_status = counter().values("status", ["success"]).others();
        let requests = counter().values("operation_type", ["query"]).others();
        let requests = requests.values("response_status", ["failed"]).others();
        let connections = gauge().values("role", ["primary"]).others().seen("source_name");
        #[rustfmt::skip]
        let metrics = [
            ("hasura_action_request_bytes_total", "Bytes sent to actions", counter()),
            ("hasura_action_response_bytes_total", "Bytes received from actions", counter()),
            ("hasura_active_subscriptions", "Subscriptions that are open", gauge()),
            ("hasura_cron_events_invocation_total", "Invocations of cron events", by_status.clone()),
            ("hasura_event_invocations_total", "Invocations of event triggers", by_status),
            ("hasura_event_trigger_http_workers", "Workers of event triggers that are busy", gauge()),
            ("hasura_events_fetched_per_batch", "Events of the last batch", gauge()),
            ("hasura_event_trigger_request_bytes_total", "Bytes sent to event triggers", counter()),
            ("hasura_event_trigger_response_bytes_total", "Bytes received from event triggers", counter()),
            ("hasura_graphql_requests_total", "Requests, those that failed apart", requests),
            ("hasura_http_connections", "Connections that are open", gauge()),
            ("hasura_http_request_bytes_total", "Bytes of requests", counter()),
            ("hasura_http_response_bytes_total", "Bytes of responses", counter()),
            ("hasura_metadata_resource_version", "How often the metadata has changed", gauge()),
            ("hasura_postgres_connections", "Connections to Postgres, by source", connections),
            ("hasura_scheduled_trigger_request_bytes_total", "Bytes sent to scheduled triggers", counter()),
            ("hasura_scheduled_trigger_response_bytes_total", "Bytes received from scheduled triggers", counter()),
            ("hasura_websocket_connections", "WebSockets that are open", gauge()),
            ("hasura_websocket_messages_received_bytes_total", "Bytes received over WebSockets", counter()),
            ("hasura_websocket_messages_sent_bytes_total", "Bytes sent over WebSockets", counter()),
        ];
        self.schema("hasura_ee_labelled").section("metrics", |s| {
            metrics
                .into_iter()
                .fold(s, |s, (name, about, series)| s.metrics([(name, series)]).describe(about))
        })
    }
}

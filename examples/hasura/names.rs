//! The fields that are only named, and what they mean.

use callhome::{Fact, Schema};

/// A field's name, and what it means.
pub(crate) type Described = (&'static str, &'static str);

/// Values that the section's function gives.
pub(crate) fn described(section: Schema, fields: &[Described]) -> Schema {
    fields.iter().fold(section, |section, (name, about)| {
        let example = match *name {
            "backend_type" => Fact::from("postgres"),
            "resource_checker_error_code" => Fact::from("CPU_MEMORY_INCONCLUSIVE"),
            flag if flag.ends_with("_enabled") => true.into(),
            _ => 2.into(),
        };
        section.value(*name).describe(*about).example(example)
    })
}

/// All settings of features.
#[rustfmt::skip]
pub(crate) const FEATURES: [Described; 32] = [
    ("api_limits_enabled", "Whether limits of the API are on"),
    ("api_limits_roles_with_limits", "Roles that have limits of their own"),
    ("api_limits_rate_limits", "Limits of requests per minute"),
    ("api_limits_depth_limits", "Limits of the depth of a query"),
    ("api_limits_node_limits", "Limits of the nodes of a query"),
    ("api_limits_time_limits", "Limits of the time of a request"),
    ("api_limits_batch_limits", "Limits of requests in a batch"),
    ("prometheus_endpoint_enabled", "Whether metrics are served to Prometheus"),
    ("prometheus_secret_enabled", "Whether that takes a secret"),
    ("otel_enabled", "Whether OpenTelemetry is on"),
    ("otel_traces_enabled", "Whether it gets traces"),
    ("allow_list_roles", "Roles that have an allow list"),
    ("logs_http_response_log_enabled", "Whether HTTP responses are logged"),
    ("logs_api_limit_log_enabled", "Whether exceeded limits are logged"),
    ("logs_live_query_poller_log_enabled", "Whether the poller of live queries logs"),
    ("logs_caching_log_enabled", "Whether caching is logged"),
    ("logs_tracing_log_enabled", "Whether traces are logged"),
    ("logs_metrics_log_enabled", "Whether metrics are logged"),
    ("logs_health_check_log_enabled", "Whether health checks are logged"),
    ("rate_limiting_enabled", "Whether requests are limited"),
    ("caching_enabled", "Whether responses are cached"),
    ("remote_schemas", "Remote schemas"),
    ("actions_synchronous", "Synchronous actions"),
    ("actions_asynchronous", "Asynchronous actions"),
    ("actions_query", "Actions that are queries"),
    ("actions_type_relationships", "Relationships of actions' types"),
    ("actions_custom_types", "Custom types of actions"),
    ("resource_cpu", "Processors that the container may use"),
    ("resource_memory", "Memory that the container may use"),
    ("resource_checker_error_code", "Why the two are not known, by a fixed code"),
    ("jwt_secrets_configured", "Secrets for JSON Web Tokens"),
    ("admin_secrets_configured", "Secrets of administrators"),
];

/// All that is known of a data source.
#[rustfmt::skip]
pub(crate) const SOURCE: [Described; 18] = [
    ("backend_type", "The sort of the data source"),
    ("read_replicas", "Replicas that are only read"),
    ("health_check_enabled", "Whether its health is checked"),
    ("tables", "Tables that are tracked"),
    ("views", "Views that are tracked"),
    ("enum_tables", "Tables that are used as enums"),
    ("relationships_manual", "Relationships that were made by hand"),
    ("relationships_auto", "Relationships that were found"),
    ("permissions_select", "Permissions to select"),
    ("permissions_insert", "Permissions to insert"),
    ("permissions_update", "Permissions to update"),
    ("permissions_delete", "Permissions to delete"),
    ("permissions_roles", "Roles that have permissions"),
    ("event_triggers", "Event triggers"),
    ("functions", "Functions that are tracked"),
    ("native_queries", "Native queries"),
    ("query_tags_enabled", "Whether queries are tagged"),
    ("connection_templates_enabled", "Whether connections go by a template"),
];

/// What is tracked.
#[rustfmt::skip]
pub(crate) const TRACKED: [Described; 3] = [
    ("views", "Views that are tracked"),
    ("tables", "Tables that are tracked"),
    ("functions", "Functions that are tracked"),
];

/// Who may do what.
#[rustfmt::skip]
pub(crate) const PERMISSIONS: [Described; 5] = [
    ("roles", "Roles that have permissions"),
    ("delete", "Tables with permissions to delete"),
    ("insert", "Tables with permissions to insert"),
    ("select", "Tables with permissions to select"),
    ("update", "Tables with permissions to update"),
];

/// How tables are related.
#[rustfmt::skip]
pub(crate) const RELATIONSHIPS: [Described; 2] = [
    ("auto", "Relationships that were found"),
    ("manual", "Relationships that were made by hand"),
];

/// What hangs on to it.
#[rustfmt::skip]
pub(crate) const ATTACHED: [Described; 2] = [
    ("event_triggers", "Event triggers"),
    ("remote_schemas", "Remote schemas"),
];

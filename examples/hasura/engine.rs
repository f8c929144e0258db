//! What the engine knows of itself, whether or not it reports it.

use callhome::Values;

/// What is tracked at this moment; the engine changes it as a whole.
#[derive(Clone, Default)]
pub(crate) struct Metadata {
    pub(crate) views: u64,
    pub(crate) tables: u64,
    pub(crate) functions: u64,
    pub(crate) roles: u64,
    /// To delete, insert, select and update.
    pub(crate) permissions: [u64; 4],
    /// Found by themselves, and tracked by hand.
    pub(crate) relationships: [u64; 2],
    pub(crate) event_triggers: u64,
    pub(crate) remote_schemas: u64,
}

/// The settings that are not what they are by themselves: off, and 0.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings {
    pub(crate) on: &'static [&'static str],
    pub(crate) words: &'static [(&'static str, &'static str)],
    pub(crate) counts: &'static [(&'static str, u64)],
}

impl Settings {
    /// Gives the values of these names.
    pub(crate) fn give(&self, names: &[&'static str], values: &mut Values) {
        for &name in names {
            let word = self.words.iter().find(|(other, _)| *other == name);
            let count = self.counts.iter().find(|(other, _)| *other == name);
            match (word, count) {
                (Some((_, word)), _) => values.set(name, *word),
                (_, Some((_, count))) => values.set(name, *count),
                _ if name.ends_with("_enabled") => values.set(name, self.on.contains(&name)),
                _ => values.set(name, 0),
            };
        }
    }
}

/// The data sources that are connected.
pub(crate) const CONNECTED: [Settings; 2] = [
    Settings {
        on: &["health_check_enabled"],
        words: &[("backend_type", "postgres")],
        counts: &[("tables", 3)],
    },
    Settings {
        on: &["health_check_enabled"],
        words: &[("backend_type", "mssql")],
        counts: &[("tables", 5)],
    },
];

/// All settings of features.
#[rustfmt::skip]
pub(crate) const FEATURES: [&str; 32] = [
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

/// All that is known of a data source.
#[rustfmt::skip]
pub(crate) const SOURCE: [&str; 18] = [
    "backend_type", "read_replicas", "health_check_enabled", "tables", "views", "enum_tables",
    "relationships_manual", "relationships_auto", "permissions_select", "permissions_insert",
    "permissions_update", "permissions_delete", "permissions_roles", "event_triggers", "functions",
    "native_queries", "query_tags_enabled", "connection_templates_enabled",
];

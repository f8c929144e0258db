//! The report of Electric's telemetry page, how it is sent, and what Electric might say about it on a
//! page that is made of it.

use std::time::{Duration, SystemTime};

use callhome::{Builder, CallHome, Page, Sample, Schema};

/// What Electric's page calls the version of the sync service.
pub(crate) const VERSION: &str = "0.5.3-28-gf78187e";

/// All that Electric reports. What is known only at run time is passed in.
pub(crate) fn schema<T: Sample>(
    oldest_wal: impl Fn() -> Option<SystemTime> + Send + Sync + 'static,
    memory: impl Fn() -> T + Send + Sync + 'static,
) -> Schema {
    Schema::new("electric")
        .strict()
        .fact("electric_version", VERSION)
        .describe("Version of the sync service")
        .section("environment", |s| {
            s.arch("arch")
                .describe("What it was compiled for")
                .cores("cores")
                .describe("Processors it may use")
                .cluster_id("electric_cluster_uuid")
                .describe("Groups the reports of one cluster")
                .instance_id("electric_instance_id")
                .describe("Groups the reports of one process")
                .os("os")
                .describe("Operating system")
                .fact_later("pg_version")
                .describe("Version of Postgres")
                .example("14.9")
                .ram("ram")
                .unit("bytes")
                .describe("Memory of the machine")
        })
        .describe("What it runs on, for debugging.")
        .section("resources", |s| {
            s.fact_with("oldest_wal_time", oldest_wal)
                .describe("Time of the oldest transaction in the WAL cache")
                .example("2023-09-19T14:40:45.972021Z")
                .uptime("uptime")
                .unit("seconds")
                .describe("How long it has run")
                .sampled("used_memory", memory)
                .unit("bytes")
                .describe("Memory of the process")
                .example(64_262_224)
                .gauge("wal_cache_memory")
                .unit("bytes")
                .describe("Memory of the WAL cache")
                .gauge("wal_transactions")
                .describe("Transactions in the WAL cache")
        })
        .section("usage", |s| {
            s.gauge_summary("concurrent_clients")
                .default(0.0)
                .describe("Clients connected at the same time")
                .distinct("distinct_clients", "client_id")
                .describe("Clients that were connected")
                .distinct("distinct_users", "user_id")
                .describe("Users that were connected")
                .gauge("electrified_tables")
                .default(0.0)
                .describe("Tables that are replicated")
                .counter("initial_syncs")
                .describe("Clients that synced for the first time")
                .counter("operations_from_pg")
                .describe("Row changes replicated from Postgres")
                .counter("operations_received_from_clients")
                .describe("Row changes received from clients")
                .counter("operations_sent_to_clients")
                .describe("Row changes sent to clients")
                .counter("subscriptions_continued")
                .describe("Subscriptions that were resumed")
                .summary("subscriptions_continued_per_client")
                .describe("The same, of each client")
                .counter("subscriptions_established")
                .describe("Subscriptions that were made")
                .summary("subscriptions_included_tables")
                .describe("Tables in a subscription")
                .summary("subscriptions_rows_per_shape")
                .describe("Rows in a shape")
                .example(500)
                .counter("transactions_from_pg")
                .describe("Transactions replicated from Postgres")
                .counter("transactions_received_from_clients")
                .describe("Transactions received from clients")
                .counter("transactions_sent_to_clients")
                .describe("Transactions sent to clients")
        })
        .describe("What volume of data is synced.")
}

/// How it reports.
pub(crate) fn settings(schema: Schema, url: &str) -> Builder {
    CallHome::builder(schema)
        .endpoint(url)
        .every(Duration::from_secs(4 * 60 * 60))
        .opt_out()
        .switch("ELECTRIC_TELEMETRY") // and DO_NOT_TRACK, always
        .bare()
}

/// What Electric might say on its page.
pub(crate) fn page() -> Page {
    Page::new("Electric")
        .why(
            "We collect usage data to understand:\n\n\
             1. how many applications are using the sync service\n\
             2. what volume of data they are syncing",
        )
        .sent_to("Reports come from the sync service alone, not from clients or from Postgres.")
        .never("Names of tables and columns, rows, queries, and who the users are.")
        .retention("Reports are deleted after two years.")
}

//! A report of Electric's schema from a busy installation: four hours of many different samples.

use std::f64::consts::TAU;
use std::time::{Duration, SystemTime};

use callhome::host::HostFacts;
use callhome::testing::VirtualClock;
use callhome::{CallHome, Fact, Figure, Schema};
use metrics::{counter, gauge, histogram};
use serde_json::Value;

/// SplitMix64, the same numbers in each run.
struct Random(u64);

impl Random {
    /// From 0 to below 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Log-normal around this value, as sizes and times are.
    fn about(&mut self, median: f64, sigma: f64) -> f64 {
        let normal = (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (TAU * self.unit()).cos();
        (median * (sigma * normal).exp()).round()
    }
}

/// The schema of `examples/electric`, its summaries with this.
fn schema(detail: Option<Figure>, memory: impl Fn() -> f64 + Send + Sync + 'static) -> Schema {
    let detail = |s: Schema| detail.into_iter().fold(s, Schema::with);
    let wal = SystemTime::UNIX_EPOCH + Duration::from_micros(1_695_134_445_972_021);
    Schema::new("electric")
        .fact("electric_version", "0.5.3-28-gf78187e")
        .section("environment", |s| {
            s.arch("arch")
                .cores("cores")
                .cluster_id("electric_cluster_uuid")
                .instance_id("electric_instance_id")
                .os("os")
                .fact_later("pg_version")
                .ram("ram")
        })
        .section("resources", |s| {
            let s = s.fact_with("oldest_wal_time", move || wal).uptime("uptime");
            detail(s.sampled("used_memory", memory))
                .gauge("wal_cache_memory")
                .gauge("wal_transactions")
        })
        .section("usage", |s| {
            let s = detail(s.gauge_summary("concurrent_clients"))
                .distinct("distinct_clients", "client_id")
                .distinct("distinct_users", "user_id")
                .gauge("electrified_tables")
                .counter("initial_syncs")
                .counter("operations_from_pg")
                .counter("operations_received_from_clients")
                .counter("operations_sent_to_clients")
                .counter("subscriptions_continued");
            let s = detail(s.summary("subscriptions_continued_per_client"))
                .counter("subscriptions_established");
            let s = detail(s.summary("subscriptions_included_tables"));
            detail(s.summary("subscriptions_rows_per_shape"))
                .counter("transactions_from_pg")
                .counter("transactions_received_from_clients")
                .counter("transactions_sent_to_clients")
        })
}

/// The names in a document, without those of detail.
fn names(value: &Value, path: &str, found: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        if !name.starts_with("buckets") && !name.starts_with("hdr") {
            found.push(format!("{path}/{name}"));
            names(value, &format!("{path}/{name}"), found);
        }
    }
}

/// The body of a report, its summaries with this.
pub(crate) fn report(detail: Option<Figure>) -> String {
    let random = std::sync::Mutex::new((Random(1), 3e9));
    // It grows and shrinks, by pages of memory.
    let memory = move || {
        let (random, at) = &mut *random.lock().unwrap();
        *at += (random.unit() - 0.5) * 4e7;
        (*at / 4096.0).round() * 4096.0
    };
    let clock = VirtualClock::new();
    let mut host = HostFacts::new("x86_64-unknown-linux-gnu", "unix", "linux");
    (host.cores, host.ram) = (Some(8), Some(33_363_812_352));
    let builder = CallHome::builder(schema(detail, memory)).clock(clock.clone()).host(host).bare();
    let builder = builder.first_after(Duration::from_secs(24 * 60 * 60));
    let builder = builder.cluster_id("a1336abd-804c-4d0c-a06a-c73da6dd148e");
    let callhome = builder.instance_id("0d64597b-168b-45a2-ad64-a9baba55fd59").build().unwrap();
    callhome.set_fact("environment.pg_version", Fact::text("14.9")).unwrap();
    let mut random = Random(2);
    metrics::with_local_recorder(callhome.recorder(), || {
        gauge!("resources.wal_cache_memory").set(268_435_456);
        gauge!("resources.wal_transactions").set(48_211);
        gauge!("usage.electrified_tables").set(212);
        for name in [
            "initial_syncs",
            "operations_from_pg",
            "operations_received_from_clients",
            "operations_sent_to_clients",
            "subscriptions_continued",
            "subscriptions_established",
            "transactions_from_pg",
            "transactions_received_from_clients",
            "transactions_sent_to_clients",
        ] {
            counter!(format!("usage.{name}")).increment(random.about(2e6, 2.0) as u64);
        }
        for at in 0..20_000 {
            // Few enough to be counted exactly, so that all runs have the same bytes.
            let (client, user) = (format!("client {}", at % 500), format!("user {}", at % 70));
            counter!("usage.distinct_clients", "client_id" => client).increment(1);
            counter!("usage.distinct_users", "user_id" => user).increment(1);
            histogram!("usage.subscriptions_continued_per_client").record(random.about(40.0, 1.5));
            histogram!("usage.subscriptions_included_tables").record(random.about(30.0, 1.0));
            histogram!("usage.subscriptions_rows_per_shape").record(random.about(500.0, 2.0));
        }
        // Four hours, sampled every two seconds: by day there are more than by night.
        for at in 0..7200 {
            let day = 1.0 + (f64::from(at) / 2300.0).sin();
            gauge!("usage.concurrent_clients").set(random.about(1500.0 * day, 0.1));
            clock.advance(Duration::from_secs(2));
            callhome.tick();
        }
    });
    let report = callhome.flush().unwrap();
    let payload = include_str!("../payloads/electric.json");
    let (mut own, mut expected) = (Vec::new(), Vec::new());
    names(report.data(), "", &mut own);
    names(&serde_json::from_str(payload).unwrap(), "", &mut expected);
    own.sort();
    expected.sort();
    assert_eq!(own, expected, "the schema is that of the example");
    if let Some(Figure::Buckets(most)) = detail {
        for summary in report["usage"].as_object().unwrap().values() {
            let pairs = summary["buckets"].as_array().map(Vec::len);
            // As many as there are, of which twice as many may be too many.
            assert!(pairs.is_none_or(|pairs| 2 * pairs > most), "{pairs:?} of {most}");
        }
    }
    report.body().to_owned()
}

//! The sample of Electric's telemetry page: the versions, ids and host facts it shows are given, the
//! rest is recorded.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use callhome::host::HostFacts;
use callhome::{CallHome, Clock, Fact, Moment};
use metrics::{counter, gauge};

use super::common::Result;
use super::usage::schema;

/// A clock that has run for ten seconds at its second look: the page's `uptime`.
struct TenSecondsLater(AtomicU64);

impl Clock for TenSecondsLater {
    fn now(&self) -> Moment {
        let looks = self.0.fetch_add(1, Ordering::Relaxed);
        let monotonic = Duration::from_secs(10 * looks.min(1));
        Moment { monotonic, wall: SystemTime::UNIX_EPOCH + monotonic }
    }
}

/// The report.
pub(crate) fn electric() -> Result<String> {
    let mut host = HostFacts::new("x86_64-pc-linux-gnu", "unix", "linux");
    host.cores = Some(8);
    host.ram = Some(33_363_812_352);
    let schema = schema(
        || Some(SystemTime::UNIX_EPOCH + Duration::from_micros(1_695_134_445_972_021)),
        || 64_262_224,
    );
    let callhome = CallHome::builder(schema)
        .host(host)
        .cluster_id("a1336abd-804c-4d0c-a06a-c73da6dd148e")
        .instance_id("0d64597b-168b-45a2-ad64-a9baba55fd59")
        .clock(TenSecondsLater(0.into()))
        .bare()
        .build()?;
    callhome.set_fact("environment.pg_version", Fact::text("14.9"))?;
    metrics::with_local_recorder(callhome.recorder(), || {
        gauge!("resources.wal_cache_memory").set(2520);
        gauge!("resources.wal_transactions").set(2);
        counter!("usage.operations_from_pg").increment(1);
        counter!("usage.transactions_from_pg").increment(2);
    });
    Ok(callhome.flush()?.body().to_owned())
}

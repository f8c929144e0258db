//! Samples of what Highlight's page lists.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use callhome::host::HostFacts;
use callhome::{CallHome, Fact, Values};
use metrics::counter;

use super::common::Result;

pub(crate) fn heartbeat() -> Result<String> {
    let mut host = HostFacts::new("x86_64-unknown-linux-gnu", "unix", "linux");
    host.cores = Some(8);
    let memory = |values: &mut Values| {
        values.set("mem-used", 12_884_901_888_u64).set("mem-active", 8_589_934_592_u64);
    };
    let schema = super::report::heartbeat("8f1c2d3e4a5b60718293a4b5c6d7e8f901234567", memory);
    let heartbeat = CallHome::builder(schema).host(host).bare().build()?;
    Ok(heartbeat.flush()?.body().to_owned())
}

pub(crate) fn usage() -> Result<String> {
    let schema = super::report::usage(Arc::new(AtomicBool::new(true)));
    let usage = CallHome::builder(schema).bare().build()?;
    usage.set_fact("about-you-role", "Engineering")?;
    usage.set_fact("about-you-referral", Fact::text("https://example.com/blog"))?;
    metrics::with_local_recorder(usage.recorder(), || {
        counter!("session-count").increment(42);
        counter!("error-count").increment(7);
        counter!("log-count").increment(1250);
        counter!("session-view-count").increment(12);
        counter!("error-view-count").increment(3);
        counter!("log-view-count").increment(9);
    });
    Ok(usage.flush()?.body().to_owned())
}

//! The sample of ZincObserve's page.

use callhome::host::HostFacts;
use callhome::{CallHome, Values};
use metrics::gauge;

use super::common::Result;
use super::report::{Config, schema};

/// The report.
pub(crate) fn zincobserve() -> Result<String> {
    let config = Config { version: "0.1.7", local_storage: Some("disk"), nodes: 4, time_zone: 0 };
    let host = |values: &mut Values| {
        values.set("os", "Linux").set("os_release", "5.10.161+");
        values.set("total_memory", 32_882_744).set("free_memory", 26_867_176);
        values.set("avail_memory", 30_695_456).set("host_name", "ziox-router-6f9c6c549f");
    };
    let mut facts = HostFacts::new("x86_64-unknown-linux-gnu", "unix", "linux");
    facts.cores = Some(4);
    let builder = CallHome::builder(schema(config, host)).host(facts);
    let callhome = builder.instance_id("7043454519337943041").bare().build()?;
    metrics::with_local_recorder(callhome.recorder(), || {
        gauge!("num_org").set(3);
        gauge!("num_streams").set(10);
        gauge!("num_users").set(10);
        gauge!("streams_total_size").set(6000);
        gauge!("streams_compressed_size").set(60);
        gauge!("num_ingest_functions").set(5);
        gauge!("num_query_functions").set(10);
        gauge!("real_time_alerts").set(3);
        gauge!("scheduled_alerts").set(2);
    });
    Ok(callhome.flush()?.body().to_owned())
}

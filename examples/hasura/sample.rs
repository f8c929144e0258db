//! The samples of Hasura's page: the ids, versions and settings they show are given.

use std::sync::{Arc, Mutex};

use callhome::host::HostFacts;
use callhome::{CallHome, Fact, Schema};
use metrics::gauge;

use super::common::Result;
use super::engine::{Metadata, Settings};
use super::enterprise::Edition;
use super::events;

pub(crate) fn server() -> Result<String> {
    let metadata = Metadata {
        views: 1,
        tables: 2,
        functions: 1,
        roles: 1,
        permissions: [2, 1, 2, 2],
        relationships: [2, 0],
        event_triggers: 0,
        remote_schemas: 1,
    };
    let time = || Fact::from("2019-01-21T19:43:33.63838+00:00");
    let schema =
        super::server::server("v1.0.0-alpha36", || 12, time, Arc::new(Mutex::new(metadata)));
    let ids = ["dddff371-dab2-450f-9969-235bca66dab1", "6799360d-a431-40c5-9f68-24592a9f07df"];
    report(schema, ids)
}

pub(crate) fn features() -> Result<String> {
    let settings = Settings {
        on: &["api_limits_enabled", "logs_tracing_log_enabled"],
        words: &[("resource_checker_error_code", "CPU_MEMORY_INCONCLUSIVE")],
        counts: &[
            ("resource_cpu", 2048),
            ("jwt_secrets_configured", 2),
            ("admin_secrets_configured", 2),
        ],
    };
    report(edition("v2.23.0").features(settings), IDS)
}

pub(crate) fn source() -> Result<String> {
    let words = &[("backend_type", "postgres")];
    report(edition("12345").source(Settings { words, ..Settings::default() }), IDS)
}

pub(crate) fn labelled() -> Result<String> {
    report(edition("12345").labelled(), IDS)
}

pub(crate) fn command() -> Result<String> {
    let command = events::command_line("v0.4.27", "linux", "amd64");
    let command = command.cluster_id("e462ce20-42dd-40fd-9549-edfb92f80455").build()?;
    let event = command
        .event("command")
        .set("id", 115)
        .set("timestamp", "2019-01-21T11:36:07.86783+00:00")
        .set("execution_id", "ddfa9c33-0693-457d-9026-c7f456c43322")
        .set("command", "hasura version")
        .set("server_uuid", "a4d66fb2-f88d-457b-8db1-ea7a0b57921d")
        .set("server_version", "v1.0.0-alpha36")
        .preview()?;
    Ok(event.body().to_owned())
}

pub(crate) fn error() -> Result<String> {
    let console = events::console().cluster_id("0e4e2e9b-7fc9-44b8-9d5c-955673e20e0b").build()?;
    let event = console
        .event("error")
        .set("server_version", "2.0.0")
        .set("url", events::page("/data/schema/public/tables/users/modify"))
        .set("server_uuid", "015a8f49-2fbd-4c41-8066-23f48d9c620a")
        .set("data.message", "Uncaught TypeError: something is not a function")
        .set_list("data.stack", [" at main.js:1:3"])
        .preview()?;
    Ok(event.body().to_owned())
}

/// The ids of the enterprise edition's samples: of the database, and of the process.
const IDS: [&str; 2] =
    ["4492082b-a2d6-4d4c-81e5-f481b2aea669", "f6d67a85-4a4f-4897-a767-89a86253b59c"];

fn edition(version: &'static str) -> Edition {
    Edition {
        version,
        license: "e86e5a54-ad3b-49e6-98ca-ab34b0a50f8f",
        client: None,
        sample: || "2a18421a-baff-466b-bf34-b7fd6a5c76c8".to_owned(),
    }
}

fn report(schema: Schema, [cluster, instance]: [&str; 2]) -> Result<String> {
    let mut host = HostFacts::detect();
    host.ci = Some("TRAVIS".to_owned());
    let builder = CallHome::builder(schema).host(host).cluster_id(cluster).instance_id(instance);
    let callhome = builder.bare().build()?;
    metrics::with_local_recorder(callhome.recorder(), || {
        gauge!("hasura_metadata_resource_version").set(1);
        gauge!("hasura_postgres_connections", "role" => "primary", "source_name" => "default")
            .set(1);
    });
    Ok(callhome.flush()?.body().to_owned())
}

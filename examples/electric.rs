//! Electric's usage report, declared and sent.
//!
//! ```text
//! cargo run --example electric                      # records from four threads, sends over HTTP
//! cargo run --example electric -- --print electric  # the sample of Electric's telemetry page
//! cargo run --example electric -- --print page      # the page itself, `examples/electric/TELEMETRY.md`
//! cargo run --example electric -- --print schema    # the JSON Schema of the reports
//! ```
//!
//! The first starts a receiver on this machine, records through the `metrics` macros, and prints
//! the report as it arrives. The second feeds the values behind the page's sample and prints the
//! document, without a network. The others print documents that are made of the
//! schema.

mod receiver;

use std::error::Error;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use callhome::host::{HostFacts, process_memory};
use callhome::{Builder, CallHome, Clock, Fact, Moment, Page, Sample, Schema};
use metrics::{counter, gauge, histogram};

/// What the page calls the version of the sync service.
const VERSION: &str = "0.5.3-28-gf78187e";

/// All that Electric reports. What is known only at run time is passed in.
fn schema<T: Sample>(
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
fn settings(schema: Schema, url: &str) -> Builder {
    CallHome::builder(schema)
        .endpoint(url)
        .every(Duration::from_secs(4 * 60 * 60))
        .opt_out()
        .switch("ELECTRIC_TELEMETRY") // and DO_NOT_TRACK, always
        .bare()
}

/// What Electric might say on its page.
fn page() -> Page {
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

/// Prints a document that is made of the schema.
fn print_document(
    make: impl Fn(Builder) -> Result<String, callhome::Error>,
) -> Result<(), Box<dyn Error>> {
    let schema = schema(|| None, process_memory);
    print!("{}", make(settings(schema, "https://checkpoint.example.com"))?);
    Ok(())
}

/// Records what a busy service would, from four threads, and sends it home.
fn run() -> Result<(), Box<dyn Error>> {
    let (arrived, arrivals) = mpsc::channel();
    let receiver = receiver::Receiver::start(move |body| drop(arrived.send(body)))?;
    let schema = schema(|| Some(SystemTime::now()), process_memory);
    let callhome = settings(schema, &receiver.url()).install()?;
    println!("{}", callhome.status());

    callhome.set_fact("environment.pg_version", Fact::text("16.4"))?; // the first connection tells
    gauge!("resources.wal_transactions").set(2);
    gauge!("usage.electrified_tables").set(7);
    thread::scope(|scope| {
        for client in 0..4 {
            scope.spawn(move || {
                gauge!("usage.concurrent_clients").increment(1);
                let id = format!("client-{client}");
                counter!("usage.distinct_clients", "client_id" => id).increment(1);
                for row in 0..1000 {
                    counter!("usage.operations_from_pg").increment(1);
                    histogram!("usage.subscriptions_rows_per_shape").record(row);
                }
                gauge!("usage.concurrent_clients").decrement(1);
            });
        }
    });

    let report = callhome.flush()?;
    println!("sent report {} of {} bytes; this arrived:", report.id(), report.body().len());
    println!("{}", arrivals.recv()?);
    println!("last window: {}", callhome.shutdown(Duration::from_secs(2)));
    Ok(())
}

/// A clock that has run for ten seconds at its second look: the page's `uptime`.
struct TenSecondsLater(std::sync::atomic::AtomicU64);

impl Clock for TenSecondsLater {
    fn now(&self) -> Moment {
        let looks = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let monotonic = Duration::from_secs(10 * looks.min(1));
        Moment { monotonic, wall: SystemTime::UNIX_EPOCH + monotonic }
    }
}

/// Prints the sample of Electric's page: the versions, ids and host facts it shows are given,
/// the rest is recorded.
fn print_sample() -> Result<(), Box<dyn Error>> {
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
    println!("{}", callhome.flush()?);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => run(),
        ["--print", "electric"] => print_sample(),
        ["--print", "page"] => print_document(|settings| settings.to_markdown(&page())),
        ["--print", "schema"] => print_document(|settings| settings.to_json_schema()),
        _ => {
            eprintln!("usage: electric [--print electric|page|schema], not {arguments:?}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("electric: {error}");
            ExitCode::FAILURE
        }
    }
}

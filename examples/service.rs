//! A small key-value service over HTTP that reports home how it is used.
//!
//! Three places to read:
//!
//! - `schema`: all that may leave the process, and nothing else can;
//! - `serve`: recording, with the ordinary macros of `metrics`;
//! - `run`: install at the start, shut down at the end; each request is in exactly one report.
//!
//! Start it. It prints what the switch decided, where it listens, and each report as it arrives
//! at the receiver, which for want of another is in the same process:
//!
//! ```text
//! cargo run --release --example service
//! ```
//!
//! Use it from another terminal, look at the next report, and stop it with Ctrl-C to see the last:
//!
//! ```text
//! curl -X PUT --data hello http://127.0.0.1:8080/kv/greeting
//! curl -H 'X-Client-Id: me' http://127.0.0.1:8080/kv/greeting
//! curl -X DELETE http://127.0.0.1:8080/kv/greeting
//! curl -i http://127.0.0.1:8080/kv/greeting    # 404
//! curl http://127.0.0.1:8080/healthz           # not counted
//! xdg-open http://127.0.0.1:8080/telemetry     # what the next report would say; not counted
//! ab -k -n 20000 -c 8 http://127.0.0.1:8080/kv/greeting
//! ```
//!
//! `service --print page` prints the page that such a product publishes, and `--print schema` what
//! its receiver has to know: they are committed as `TELEMETRY.md` and `schema.json` in
//! `examples/service`.
//!
//! Start it with `KV_TELEMETRY=off` or `DO_NOT_TRACK=1`, and it serves but reports nothing.

mod receiver;

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use callhome::{Builder, CallHome, Page, Schema, host};
use metrics::{counter, gauge, histogram};
use receiver::Receiver;
use tiny_http::{Header, Method, Request, Response, Server};

const HELP: &str = "\
Usage: service [OPTIONS]

  --listen ADDR     IP address and port to listen on [127.0.0.1:8080]; port 0 is any free port
  --report-to URL   where reports go [a receiver in this process, which prints them]
  --every SECONDS   time between reports [10]; fractions are allowed, 0.1 is the least
  --print WHAT      print the page about the reports (page) or their JSON Schema (schema)
  --help            print this

KV_TELEMETRY=off or DO_NOT_TRACK=1 in the environment switch the reports off.
";

/// Threads that answer requests.
const WORKERS: usize = 4;
/// The largest value that is stored, in bytes.
const MAX_VALUE: usize = 1024 * 1024;

type Store = Mutex<HashMap<String, Vec<u8>>>;

/// All that may leave the process.
fn schema() -> Schema {
    // One metric feeds three fields, told apart by its label.
    let outcome =
        |s: Schema, name: &str| s.counter(name).metric("http.responses").label("outcome", name);
    Schema::new("kv")
        .strict() // each field says what it means
        .section("environment", |s| {
            let s = s.fact("version", env!("CARGO_PKG_VERSION")).describe("Version of the service");
            let s = s.example("0.1.0"); // the page does not change with each version
            let s = s.arch("arch").describe("What it was compiled for");
            let s = s.cores("cores").describe("Processors it may use");
            let s = s.os("os").describe("Operating system");
            let s = s.ram("ram").unit("bytes").describe("Memory of the machine");
            s.instance_id("instance_id").describe("Tells reports of one process from others")
        })
        .describe("What it runs on.")
        .section("resources", |s| {
            let s = s.uptime("uptime").unit("seconds").describe("How long it has run");
            let s = s.sampled("used_memory", host::process_memory).unit("bytes");
            s.describe("Memory of the process").example(5_021_696)
        })
        .section("usage", |s| {
            let s = s.counter("requests").describe("Requests, those to /healthz left out");
            let s = s.example(20_000);
            let s = s.section("responses", |s| {
                let s = outcome(s, "ok").describe("Requests that did what they asked for");
                let s = s.example(19_988);
                let s = outcome(s, "not_found").describe("Requests for what is not there");
                let s = s.example(12);
                outcome(s, "bad_request").describe("Requests that make no sense").example(0)
            });
            let s = s.counter("bytes_in").unit("bytes").describe("All values received");
            let s = s.counter("bytes_out").unit("bytes").describe("All bodies of responses");
            let s = s.gauge_summary("concurrent").default(0.0).describe("Requests in progress");
            let s = s.summary("value_size").unit("bytes").describe("Size of a value received");
            let s = s.example(820);
            s.distinct("clients", "client").describe("Clients, by X-Client-Id or IP address")
        })
}

/// What the maintainers say on the page; the rest of it is generated.
fn page() -> Page {
    Page::new("kv")
        .why(
            "The reports tell us which versions are in use, on what machines, and how large values \
             get: that is what we test for.",
        )
        .sent_to("The receiver is ours. Nobody else gets a report.")
        .see("`/telemetry` of the running service shows the next report, and the last one sent.")
        .never("Keys, values, client ids and IP addresses.")
        .retention("Reports are deleted after 13 months.")
        .contact("Open an issue, with a `report_id` if it is about a report.")
}

/// Answers requests until the server is unblocked.
fn serve(server: &Server, store: &Store, callhome: &CallHome) {
    for mut request in server.incoming_requests() {
        if request.url() == "/healthz" {
            respond(request, 200, b"ok".to_vec());
            continue;
        }
        // For operators, who in a real service have a port of their own.
        if request.url() == "/telemetry" {
            let html = Header::from_bytes("Content-Type", "text/html; charset=utf-8");
            let page = Response::from_string(callhome::view::html(callhome));
            let _ = request.respond(html.into_iter().fold(page, Response::with_header));
            continue;
        }
        gauge!("usage.concurrent").increment(1);
        let _busy = Busy;
        counter!("usage.requests").increment(1);
        counter!("usage.clients", "client" => client(&request)).increment(1);

        let (status, body) = answer(&mut request, store);
        let outcome = match status {
            200..=299 => "ok",
            404 => "not_found",
            _ => "bad_request",
        };
        // Before the response: a client that has its answer has been counted.
        counter!("http.responses", "outcome" => outcome).increment(1);
        if *request.method() != Method::Head {
            counter!("usage.bytes_out").increment(body.len() as u64);
        }
        respond(request, status, body);
    }
}

/// Sends a response. A client that did not wait for it was served all the same.
fn respond(request: Request, status: u16, body: Vec<u8>) {
    let mut response = Response::from_data(body).with_status_code(status);
    // The server keeps the connection of an HTTP/1.0 client that asks for it, but does not tell:
    // without this, `ab -k` would wait for the connection to end.
    if *request.http_version() < (1, 1) {
        if let Ok(header) = Header::from_bytes("Keep-Alive", "") {
            response.add_header(header);
        }
    }
    let _ = request.respond(response);
}

/// Nothing about reports: of connections that come at once and stay, tiny_http 0.12 may leave some
/// without a thread until another connection ends. So one ends, again and again.
fn nudge(address: SocketAddr) {
    loop {
        drop(TcpStream::connect(address));
        thread::sleep(Duration::from_millis(50));
    }
}

/// A request in progress. It ends when this is dropped, on whichever path.
struct Busy;

impl Drop for Busy {
    fn drop(&mut self) {
        gauge!("usage.concurrent").decrement(1);
    }
}

/// Who asks. The report tells how many there are, never who.
fn client(request: &Request) -> String {
    match request.headers().iter().find(|header| header.field.equiv("X-Client-Id")) {
        Some(header) => header.value.to_string(),
        None => request.remote_addr().map(|peer| peer.ip().to_string()).unwrap_or_default(),
    }
}

/// Does what the request asks for. Returns the status and the body of the response.
fn answer(request: &mut Request, store: &Store) -> (u16, Vec<u8>) {
    let text = |status, text: &str| (status, format!("{text}\n").into_bytes());
    let Some(key) = request.url().strip_prefix("/kv/").map(str::to_owned) else {
        return text(404, "there is nothing here but /kv/KEY, /healthz and /telemetry");
    };
    if key.is_empty() {
        return text(400, "the key is empty");
    }
    let store = || store.lock().expect("no thread panics while it holds the lock");
    match request.method() {
        Method::Put => match value(request) {
            Some(value) => {
                counter!("usage.bytes_in").increment(value.len() as u64);
                histogram!("usage.value_size").record(value.len() as f64);
                store().insert(key, value);
                text(200, "stored")
            }
            None => text(400, "the value is larger than 1 MiB, or was cut short"),
        },
        Method::Get | Method::Head => match store().get(&key) {
            Some(value) => (200, value.clone()),
            None => text(404, "no such key"),
        },
        Method::Delete => match store().remove(&key) {
            Some(_) => text(200, "deleted"),
            None => text(404, "no such key"),
        },
        _ => text(405, "a key takes GET, PUT and DELETE"),
    }
}

/// The body of a request; none when it is too large or not all of it came.
fn value(request: &mut Request) -> Option<Vec<u8>> {
    let announced = request.body_length();
    let mut value = Vec::new();
    request.as_reader().take(MAX_VALUE as u64 + 1).read_to_end(&mut value).ok()?;
    let whole = announced.is_none_or(|length| length == value.len());
    (whole && value.len() <= MAX_VALUE).then_some(value)
}

/// What the command line asks for.
struct Options {
    listen: SocketAddr,
    report_to: Option<String>,
    every: Duration,
    /// The document to print instead.
    print: Option<String>,
}

/// Reads the command line; `None` when it asks for help.
fn options(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let every = Duration::from_secs(10);
    let mut options = Options { listen, report_to: None, every, print: None };
    while let Some(option) = words.next() {
        match option.as_str() {
            "--listen" => options.listen = parse(&option, words.next())?,
            "--report-to" => options.report_to = Some(parse(&option, words.next())?),
            "--every" => {
                let seconds: f64 = parse(&option, words.next())?;
                options.every = Duration::try_from_secs_f64(seconds)
                    .map_err(|error| format!("--every {seconds:?}: {error}"))?;
            }
            "--print" => options.print = Some(parse(&option, words.next())?),
            "--help" => return Ok(None),
            _ => return Err(format!("unknown option {option:?}; see --help")),
        }
    }
    Ok(Some(options))
}

/// Reads the value of an option.
fn parse<T: FromStr<Err: Display>>(option: &str, value: Option<String>) -> Result<T, String> {
    let value = value.ok_or(format!("{option} needs a value"))?;
    value.parse().map_err(|error| format!("{option} {value:?}: {error}"))
}

/// How it reports.
fn settings(url: &str, every: Duration) -> Builder {
    CallHome::builder(schema()).endpoint(url).every(every).opt_out().switch("KV_TELEMETRY")
}

/// Serves until Ctrl-C or SIGTERM. An error is a reason not to start.
fn run() -> Result<(), Box<dyn Error>> {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let Some(Options { listen, report_to, every, print }) = options(words)? else {
        print!("{HELP}");
        return Ok(());
    };
    if let Some(document) = print {
        let url = report_to.as_deref().unwrap_or("https://reports.example.com/v1/reports");
        let settings = settings(url, every);
        match &*document {
            "page" => print!("{}", settings.to_markdown(&page())?),
            "schema" => print!("{}", settings.to_json_schema()?),
            other => return Err(format!("--print {other:?}: there are page and schema").into()),
        }
        return Ok(());
    }
    let server = Server::http(listen).map_err(|error| format!("--listen {listen}: {error}"))?;
    let server = Arc::new(server);
    if let Some(address) = server.server_addr().to_ip() {
        thread::spawn(move || nudge(address));
    }
    let stop = Arc::clone(&server);
    ctrlc::set_handler(move || (0..WORKERS).for_each(|_| stop.unblock()))?;

    let mut embedded = None; // lives until the last report is in
    let url = match report_to {
        Some(url) => url,
        None => {
            embedded.insert(Receiver::start(|_, report| println!("{report}"))?).url("/v1/reports")
        }
    };
    let callhome = settings(&url, every).install()?;
    println!("{}", callhome.status());
    println!("listening on http://{}", server.server_addr());

    let store = Store::default();
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| serve(&server, &store, &callhome));
        }
    });
    // The workers have ended: what is in no report yet is in the last one.
    println!("last report: {}", callhome.shutdown(Duration::from_secs(2)));
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("service: {error}");
            ExitCode::from(2)
        }
    }
}

//! The example `service` as its operator runs it: a process, its standard output and its signals.
#![cfg(all(unix, feature = "http"))]

mod support;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use serde_json::Value;
use support::SOON;

const CLIENTS: usize = 6;
/// How often each client goes through its requests.
const ROUNDS: usize = 40;
/// What is stored, and how long it is.
const VALUE: &str = "0123456789";

/// The built example, and nothing of the tester's environment that would switch it off.
fn example() -> Command {
    let mut command = support::example("service");
    command.env_remove("KV_TELEMETRY").stdin(Stdio::null());
    command
}

/// The example, running.
struct Service {
    process: Child,
    lines: Receiver<String>,
    /// The first line it printed.
    status: String,
    /// Host and port.
    address: String,
}

impl Service {
    fn start(environment: &[(&str, &str)]) -> Service {
        let mut command = example();
        command.args(["--listen", "127.0.0.1:0", "--every", "0.2"]).stdout(Stdio::piped());
        let mut process = command.envs(environment.iter().copied()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines() {
                let _ = sender.send(line.unwrap());
            }
        });
        let mut service = Service { process, lines, status: String::new(), address: String::new() };
        service.status = service.line().expect("a status");
        let listening = service.line().expect("an address");
        service.address = listening.strip_prefix("listening on http://").unwrap().to_owned();
        service
    }

    /// The next line of its output; `None` when it has ended.
    fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(SOON) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("nothing was printed within {SOON:?}"),
        }
    }

    /// Asks it to stop, as a service manager does. Its output ends when it has.
    fn terminate(&self) {
        let mut kill = Command::new("kill");
        let status = kill.args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Its exit code, once its output has ended.
    fn exit_code(mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // For a test that failed; a process that has been waited for is not killed again.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sums over requests, or over the reports about them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Totals {
    requests: u64,
    ok: u64,
    not_found: u64,
    bad_request: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl Totals {
    fn add(&mut self, other: Totals) {
        self.requests += other.requests;
        self.ok += other.ok;
        self.not_found += other.not_found;
        self.bad_request += other.bad_request;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }

    /// Makes one request and counts it by its answer.
    fn request(&mut self, address: &str, client: usize, line: &str, body: &str) -> io::Result<()> {
        let (status, length) = exchange(address, client, line, body)?;
        self.requests += 1;
        match status {
            200 => self.ok += 1,
            404 => self.not_found += 1,
            _ => self.bad_request += 1,
        }
        self.bytes_in += body.len() as u64;
        self.bytes_out += length as u64;
        Ok(())
    }
}

/// One request on a connection of its own. Returns the status and the length of the body.
fn exchange(address: &str, client: usize, line: &str, body: &str) -> io::Result<(u16, usize)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(SOON))?;
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: {address}\r\nX-Client-Id: client-{client}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let Some((head, body)) = response.split_once("\r\n\r\n") else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.expect("a status"), body.len()))
}

/// Runs all clients at once. Returns the sum of what they saw.
fn clients(client: impl Fn(usize) -> Totals + Sync) -> Totals {
    let client = &client;
    let mut seen = Totals::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS).map(|c| scope.spawn(move || client(c))).collect();
        threads.into_iter().for_each(|thread| seen.add(thread.join().unwrap()));
    });
    seen
}

/// Each client makes all sorts of requests. Returns what they saw.
fn batch(address: &str) -> Totals {
    let seen = clients(|client| {
        let mut seen = Totals::default();
        let mut request = |line: &str, body| seen.request(address, client, line, body).unwrap();
        for round in 0..ROUNDS {
            let key = format!("/kv/{client}-{round}");
            request(&format!("PUT {key}"), VALUE);
            request(&format!("GET {key}"), "");
            request(&format!("HEAD {key}"), "");
            request(&format!("DELETE {key}"), "");
            request(&format!("GET {key}"), "");
            request("GET /elsewhere", "");
            request("GET /kv/", "");
            request(&format!("OPTIONS {key}"), "");
            assert_eq!(exchange(address, client, "GET /healthz", "").unwrap(), (200, 2));
        }
        seen
    });
    let turns = (CLIENTS * ROUNDS) as u64;
    let Totals { requests, ok, not_found, bad_request, bytes_in, .. } = seen;
    assert_eq!(
        [requests, ok, not_found, bad_request],
        [8 * turns, 4 * turns, 2 * turns, 2 * turns]
    );
    assert_eq!(bytes_in, VALUE.len() as u64 * turns);
    seen
}

/// Sums over the reports that have been printed, each as the committed schema has it.
struct Reports {
    valid: jsonschema::Validator,
    sequence: u64,
    totals: Totals,
    busiest: u64,
}

impl Reports {
    fn new() -> Reports {
        let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/service/schema.json");
        let contract = serde_json::from_str(&std::fs::read_to_string(contract).unwrap()).unwrap();
        let valid = jsonschema::options().should_validate_formats(true).build(&contract).unwrap();
        Reports { valid, sequence: 0, totals: Totals::default(), busiest: 0 }
    }

    fn read(&mut self, line: &str) {
        let report: Value = serde_json::from_str(line).unwrap();
        self.valid.validate(&report).unwrap();
        self.sequence += 1;
        assert_eq!(report["sequence"], self.sequence, "{line}");
        assert_eq!(report["losses"], serde_json::json!({}), "{line}");
        let usage = &report["data"]["usage"];
        let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{line}"));
        let responses = &usage["responses"];
        self.totals.add(Totals {
            requests: number(&usage["requests"]),
            ok: number(&responses["ok"]),
            not_found: number(&responses["not_found"]),
            bad_request: number(&responses["bad_request"]),
            bytes_in: number(&usage["bytes_in"]),
            bytes_out: number(&usage["bytes_out"]),
        });
        assert!(number(&usage["clients"]) <= CLIENTS as u64, "{line}");
        let size = &usage["value_size"];
        let expected = if usage["bytes_in"] == 0 { 0 } else { VALUE.len() };
        assert_eq!([&size["min"], &size["max"]], [expected, expected], "{line}");
        self.busiest = self.busiest.max(number(&usage["concurrent"]["max"]));
    }
}

impl Reports {
    /// Reads what is printed until the service has ended.
    fn read_to_end(&mut self, service: &Service) {
        let mut farewell = None;
        while let Some(line) = service.line() {
            match line.starts_with('{') {
                true => self.read(&line),
                false => assert_eq!(farewell.replace(line), None),
            }
        }
        // More than one is accepted when a report was on its way.
        let farewell = farewell.expect("a line about the last report");
        assert!(farewell.starts_with("last report: "), "{farewell}");
        assert!(farewell.ends_with(" accepted, 0 lost"), "{farewell}");
    }
}

#[test]
fn every_request_is_in_exactly_one_report() {
    let service = Service::start(&[]);
    assert_eq!(service.status, "telemetry: on (default)");
    let mut reports = Reports::new();

    let mut made = batch(&service.address);
    let end = Instant::now() + SOON;
    while reports.totals != made {
        assert!(Instant::now() < end, "reported {:?} of {made:?}", reports.totals);
        reports.read(&service.line().expect("a report"));
    }

    // Not waited for this time: what is in no report yet is in the last one.
    made.add(batch(&service.address));
    service.terminate();
    reports.read_to_end(&service);
    assert_eq!(reports.totals, made);
    assert!((1..=4).contains(&reports.busiest), "{} of 4 workers", reports.busiest);
    assert_eq!(service.exit_code(), Some(0));
}

#[test]
fn operators_can_look_at_the_reports() {
    let service = Service::start(&[]);
    let mut reports = Reports::new();
    // A report was accepted, and not only printed, when the next one is there.
    let mut arrived: Vec<String> = (0..2).map(|_| service.line().expect("a report")).collect();
    let look = |address: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        write!(stream, "GET /telemetry HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    };
    let page = look(&service.address);
    assert!(page.contains("Content-Type: text/html; charset=utf-8\r\n"), "{page}");
    assert!(page.contains("telemetry: on (default)"), "{page}");
    // Byte for byte the last one, which may be a later one by now.
    let shown = page.rsplit("<pre>").next().unwrap().split("</pre>").next().unwrap();
    let shown = shown.replace("&quot;", "\"");
    while !arrived.contains(&shown) {
        assert!(arrived.len() < 1000, "{shown}");
        arrived.push(service.line().expect("the report that was shown"));
    }
    arrived.iter().for_each(|line| reports.read(line));
    assert_eq!(reports.totals, Totals::default(), "looking is not counted");
    service.terminate();
    reports.read_to_end(&service);
}

#[test]
fn what_is_answered_while_it_stops_is_reported() {
    let service = Service::start(&[]);
    let mut reports = Reports::new();
    let address = service.address.clone();
    let seen = thread::scope(|scope| {
        let (service, address) = (service, &*address); // a failure here ends it, and the clients
        let until_it_has_gone = |client| {
            let mut seen = Totals::default();
            while seen.request(address, client, "GET /kv/key", "").is_ok() {}
            seen
        };
        let seen = scope.spawn(move || clients(until_it_has_gone));
        while reports.totals.requests == 0 {
            reports.read(&service.line().expect("a report"));
        }
        service.terminate();
        reports.read_to_end(&service);
        seen.join().unwrap()
    });
    // Each client may have made one request whose answer did not reach it.
    let reported = reports.totals.requests;
    let possible = seen.requests..=seen.requests + CLIENTS as u64;
    assert!(possible.contains(&reported), "{reported} reported, {possible:?} made");
}

#[test]
fn a_service_that_is_switched_off_serves_and_reports_nothing() {
    let cases: [(&[(&str, &str)], &str); 3] = [
        (&[("KV_TELEMETRY", "off")], "telemetry: off (KV_TELEMETRY=off)"),
        (&[("DO_NOT_TRACK", "1")], "telemetry: off (DO_NOT_TRACK=1)"),
        (&[("DO_NOT_TRACK", "1"), ("KV_TELEMETRY", "on")], "telemetry: off (DO_NOT_TRACK=1)"),
    ];
    for (environment, status) in cases {
        let service = Service::start(environment);
        assert_eq!(service.status, status);
        assert_eq!(exchange(&service.address, 0, "PUT /kv/key", VALUE).unwrap().0, 200);
        assert_eq!(exchange(&service.address, 0, "GET /kv/key", "").unwrap(), (200, VALUE.len()));
        // If it reported, the request just made would be in the last report at the latest.
        service.terminate();
        assert_eq!(service.line().as_deref(), Some("last report: 0 accepted, 0 lost"));
        assert_eq!(service.line(), None);
        assert_eq!(service.exit_code(), Some(0));
    }
}

/// A document that the example prints.
fn printed(document: &str) -> String {
    let output = example().args(["--print", document]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_page_is_current() {
    callhome::assert_page_current!("examples/service/TELEMETRY.md", printed("page"));
}

#[test]
fn receivers_can_read_the_reports() {
    callhome::assert_schema_compatible!("examples/service/schema.json", printed("schema"));
}

#[test]
fn bad_arguments_are_named_and_end_with_exit_code_2() {
    let cases: [(&[&str], &str); 10] = [
        (&["--lisen", "127.0.0.1:0"], "--lisen"),
        (&["127.0.0.1:0"], "127.0.0.1:0"),
        (&["--every"], "--every needs a value"),
        (&["--every", "often"], "often"),
        (&["--print", "nothing"], "nothing"),
        (&["--every", "-1"], "-1"),
        (&["--every", "NaN"], "NaN"),
        (&["--every", "0.05"], "50ms"),
        (&["--listen", "everywhere"], "everywhere"),
        (&["--report-to", "ftp://127.0.0.1/v1"], "ftp"),
    ];
    for (arguments, named) in cases {
        // A free port, for arguments that are only found to be bad once the service listens.
        let listen = ["--listen", "127.0.0.1:0"];
        let output = example().args(listen).args(arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(named), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let help = example().arg("--help").output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    assert!(help.stdout.starts_with(b"Usage: service"));
}

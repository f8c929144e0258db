//! A process that is killed while it reports, again and again, with a spool.
#![cfg(all(feature = "http", unix))]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callhome::testing::{HttpReceiver, until_closed};
use callhome::{CallHome, Schema};
use metrics::counter;
use serde_json::Value;
use support::SOON;
use support::folder::Folder;

const ROUNDS: u64 = 10;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const DOWN: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/// What the killed process does: one count to a window, and a line when a flush has returned.
fn live(url: &str, spool: &str) {
    let callhome = CallHome::builder(Schema::new("s").counter("n"))
        .endpoint(url)
        .opt_out()
        .attempt_timeout(Duration::from_millis(200))
        .max_pending(10_000)
        .spool(spool)
        .build()
        .unwrap();
    loop {
        metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(1));
        let _ = callhome.flush();
        println!("flushed");
    }
}

#[test]
fn no_window_that_was_sealed_is_lost_and_none_comes_twice_under_two_ids() {
    if let (Ok(url), Ok(spool)) = (std::env::var("KILLED_URL"), std::env::var("KILLED_SPOOL")) {
        return live(&url, &spool);
    }
    let spool = Folder::new();
    // By id, what was accepted; each attempt under an id has the same bytes.
    let accepted: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
    let (arrived, arrivals) = mpsc::channel();
    let (taken, calm) = (Arc::clone(&accepted), Arc::new(AtomicBool::new(false)));
    let mut number = 0u64;
    let calmed = Arc::clone(&calm);
    let server = HttpReceiver::start(move |request, stream| {
        number += 1;
        let _ = arrived.send(());
        let take = || {
            let id = request.header("idempotency-key")[0].to_owned();
            let before = taken.lock().unwrap().insert(id, request.body.clone());
            assert!(before.is_none_or(|before| before == request.body));
        };
        // A sequence without an obvious period.
        match number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61 {
            _ if calmed.load(Ordering::Relaxed) => {
                take();
                let _ = stream.write_all(OK);
            }
            0..=1 => {
                take();
                let _ = stream.write_all(OK);
            }
            2 => {
                take(); // and the answer is lost
            }
            3 => until_closed(stream),
            _ => drop(stream.write_all(DOWN)),
        }
    });

    let (mut least, mut most) = (0, 0);
    for round in 0..ROUNDS {
        let mut process = Process::start(&server.url("/v1"), &spool.0);
        // In the middle of an attempt, each time after others.
        (0..10 + 3 * round).for_each(|_| arrivals.recv_timeout(SOON).unwrap());
        let flushed = process.kill();
        while arrivals.try_recv().is_ok() {}
        // The window that it was killed in was sealed, or not yet.
        (least, most) = (least + flushed, most + flushed + 1);
    }

    calm.store(true, Ordering::Relaxed);
    let last = CallHome::builder(Schema::new("s").counter("n"))
        .endpoint(&server.url("/v1"))
        .opt_out()
        .attempt_timeout(Duration::from_millis(200))
        .max_pending(10_000)
        .spool(&spool.0)
        .build()
        .unwrap();
    last.flush().unwrap();
    assert_eq!((last.status().pending(), last.status().lost()), (0, 0));

    let accepted = accepted.lock().unwrap();
    let reports = accepted.values().map(|body| serde_json::from_slice::<Value>(body).unwrap());
    let reports: Vec<Value> = reports.collect();
    for report in &reports {
        for part in report["merged"].as_array().unwrap() {
            assert!(!accepted.contains_key(part.as_str().unwrap()), "a part came by itself too");
        }
    }
    let sum: u64 = reports.iter().map(|report| report["data"]["n"].as_u64().unwrap()).sum();
    assert!((least..=most).contains(&sum), "{sum} of {least} to {most}");
}

/// The process to be killed.
struct Process {
    child: Child,
    lines: Receiver<()>,
}

impl Process {
    fn start(url: &str, spool: &std::path::Path) -> Process {
        let test = "no_window_that_was_sealed_is_lost_and_none_comes_twice_under_two_ids";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env("KILLED_URL", url)
            .env("KILLED_SPOOL", spool)
            .env_remove("DO_NOT_TRACK")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (line, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for text in output.lines().map_while(Result::ok) {
                if text == "flushed" {
                    let _ = line.send(());
                }
            }
        });
        Process { child, lines }
    }

    /// Kills it, and says how many flushes had returned.
    fn kill(&mut self) -> u64 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // Ends when the reader has met the end of the output.
        self.lines.iter().count() as u64
    }
}

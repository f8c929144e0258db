//! Half a minute of recording on four threads while the receiver flaps: no report is lost or
//! counted twice, and the memory does not grow.
//!
//! ```text
//! cargo test --release --test soak -- --ignored --nocapture
//! ```
//!
//! `SOAK_SECONDS` makes it longer.
#![cfg(all(feature = "http", target_os = "linux"))]

mod support;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use callhome::testing::{Request, until_closed};
use callhome::{CallHome, Figure, Schema};
use metrics::{counter, gauge, histogram};
use serde_json::Value;
use support::SOON;
use support::apart::resident;

const THREADS: usize = 4;
/// What the resident memory may grow by after the first quarter, in KiB.
const GROWTH: u64 = 4 * 1024;
/// Flushes before the receiver changes.
const FLUSHES: usize = 5;

/// What the receiver does with a connection.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Up,
    /// 500, and it does not have the report.
    Broken,
    /// It has the report, and says nothing.
    TakesInSilence,
    /// It reads the report, does not have it, and says nothing.
    Silent,
    /// It closes with most of the report unread, which resets the connection.
    Resets,
    /// It does not listen.
    Down,
}

const MODES: [Mode; 8] = [
    Mode::Up,
    Mode::Broken,
    Mode::Up,
    Mode::TakesInSilence,
    Mode::Down,
    Mode::Resets,
    Mode::Up,
    Mode::Silent,
];

/// Additions, samples and their sum.
type Totals = [u64; 3];

fn add(totals: &mut Totals, more: Totals) {
    totals.iter_mut().zip(more).for_each(|(total, more)| *total += more);
}

/// The receiver, as the test has it.
struct Flapping {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Makes it listen again.
    listen: Sender<()>,
    /// It listens, or it does not any more.
    changed: Receiver<()>,
}

struct State {
    mode: Mode,
    /// The reports it has, by id, and what they add up to.
    taken: HashSet<String>,
    totals: Totals,
}

impl Flapping {
    fn start() -> Flapping {
        let mut listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { mode: Mode::Up, taken: HashSet::new(), totals: [0; 3] };
        let state = Arc::new(Mutex::new(state));
        let ((listen, heard), (say, changed)) = (mpsc::channel(), mpsc::channel());
        let own = Arc::clone(&state);
        thread::spawn(move || {
            loop {
                for stream in listener.incoming().flatten() {
                    let mode = own.lock().unwrap().mode;
                    if mode == Mode::Down {
                        break;
                    }
                    serve(&own, mode, stream);
                }
                drop(listener);
                if say.send(()).is_err() || heard.recv().is_err() {
                    return;
                }
                listener = TcpListener::bind(address).unwrap();
                let _ = say.send(());
            }
        });
        Flapping { address, state, listen, changed }
    }

    fn turn(&self, mode: Mode) {
        let before = std::mem::replace(&mut self.state.lock().unwrap().mode, mode);
        match (before, mode) {
            (Mode::Down, Mode::Down) => return,
            // It looks at each connection.
            (_, Mode::Down) => drop(TcpStream::connect(self.address)),
            (Mode::Down, _) => self.listen.send(()).unwrap(),
            _ => return,
        }
        self.changed.recv_timeout(SOON).unwrap();
    }
}

/// Serves one connection.
fn serve(state: &Mutex<State>, mode: Mode, mut stream: TcpStream) {
    if mode == Mode::Resets {
        let _ = stream.read(&mut [0; 16]);
        return;
    }
    let Ok(request) = Request::read(&stream) else { return };
    if let Mode::Up | Mode::TakesInSilence = mode {
        let report: Value = serde_json::from_slice(&request.body).unwrap();
        let data = &report["data"];
        let mut state = state.lock().unwrap();
        if state.taken.insert(report["report_id"].as_str().unwrap().to_owned()) {
            let shown = [&data["n"], &data["x"]["count"], &data["x"]["sum"]];
            add(&mut state.totals, shown.map(|value| value.as_u64().unwrap()));
        }
    }
    let answer = match mode {
        Mode::Up => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        Mode::Broken => "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
        _ => return until_closed(&mut stream),
    };
    let _ = stream.write_all(answer.as_bytes());
}

/// Records until it shall stop. Returns what.
fn record(stop: &AtomicBool) -> Totals {
    let mut totals = [0; 3];
    while !stop.load(Ordering::Relaxed) {
        for at in 0..1000 {
            counter!("n").increment(3);
            histogram!("x").record(at as f64);
            gauge!("g").set(at as f64);
        }
        add(&mut totals, [3000, 1000, 499_500]);
        thread::yield_now();
    }
    totals
}

/// Flushes until all has arrived.
fn drain(callhome: &CallHome) {
    let began = Instant::now();
    while callhome.flush().is_err() || callhome.status().pending() > 0 {
        assert!(began.elapsed() < SOON, "{:?}", callhome.status());
    }
}

#[test]
#[ignore = "takes half a minute"]
fn a_flapping_receiver_loses_nothing_and_costs_no_memory() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(30, |seconds| seconds.parse().unwrap());
    let duration = Duration::from_secs(seconds);
    let receiver = Flapping::start();
    let schema = Schema::new("soak").counter("n").gauge_summary("g");
    let callhome = CallHome::builder(schema.summary("x").with(Figure::Count).with(Figure::Sum))
        .endpoint(&format!("http://{}/v1", receiver.address))
        .opt_out()
        .attempt_timeout(Duration::from_millis(100))
        .every(Duration::from_millis(100))
        .sample_every(Duration::from_millis(100))
        .max_pending(1000)
        .install()
        .unwrap();

    let (stop, began) = (AtomicBool::new(false), Instant::now());
    let (mut recorded, mut warm, mut rounds) = ([0; 3], None, 0);
    let mut failed = 0;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| record(&stop))).collect();
        while began.elapsed() < duration {
            for mode in MODES {
                receiver.turn(mode);
                failed += (0..FLUSHES).filter(|_| callhome.flush().is_err()).count();
            }
            rounds += 1;
            if began.elapsed() > duration / 4 && warm.is_none() {
                receiver.turn(Mode::Up);
                drain(&callhome);
                warm = Some(resident());
            }
        }
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().for_each(|thread| add(&mut recorded, thread.join().unwrap()));
    });
    receiver.turn(Mode::Up);
    drain(&callhome);
    let (warm, end) = (warm.unwrap(), resident());

    let status = callhome.status();
    let state = receiver.state.lock().unwrap();
    println!(
        "{rounds} rounds in {:.1?}: {} reports of {} windows, {failed} flushes that failed",
        began.elapsed(),
        state.taken.len(),
        status.accepted()
    );
    println!("{} samples; resident {warm} KiB after a quarter, {end} KiB at the end", recorded[1]);
    assert_eq!((state.totals, status.lost()), (recorded, 0), "{status:?}");
    assert!(failed > 0 && end <= warm + GROWTH, "from {warm} to {end} KiB");
    drop(state);
    let shutdown = callhome.shutdown(SOON);
    assert_eq!(shutdown.lost(), 0, "{shutdown}");
}

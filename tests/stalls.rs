//! A shutdown keeps its deadline whatever stalls. All kinds of stalls in a row, each measured:
//!
//! ```text
//! cargo test --release --test stalls -- --nocapture    # prints the table
//! ```
#![cfg(feature = "http")]

mod support;

use std::any::Any;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use callhome::sink::{Parcel, SendError, Sink};
use callhome::testing::{HttpReceiver, until_closed};
use callhome::{Builder, CallHome, Schema};
use support::apart::apart_with;
use support::{SOON, endlessly, trickle};

/// What each shutdown is given.
const DEADLINE: Duration = Duration::from_millis(500);
/// What it may take beyond that on a busy machine. On an idle one it is a millisecond or two; the
/// table shows it.
const MARGIN: Duration = Duration::from_secs(5);

/// An aggregator with one window to ship, something that stalls, and what has to live while it
/// does.
struct Stall {
    callhome: Arc<CallHome>,
    /// The windows that are accepted and those that are lost.
    outcome: (u64, u64),
    /// It is accepted at the deadline, if that is not late.
    late: bool,
    _alive: Box<dyn Any>,
}

impl Stall {
    fn new(builder: Builder, alive: impl Any) -> Stall {
        Stall {
            callhome: Arc::new(builder.build().unwrap()),
            outcome: (0, 1),
            late: false,
            _alive: Box::new(alive),
        }
    }
}

fn schema() -> Schema {
    Schema::new("stall").counter("n")
}

/// A receiver that reads the request and then does what the script says.
fn answered(script: impl Fn(&mut TcpStream) + Send + 'static) -> Stall {
    let server = HttpReceiver::start(move |_, stream| script(stream));
    Stall::new(CallHome::builder(schema()).opt_out().endpoint(&server.url("/v1")), server)
}

/// One that does so before anything is read.
fn unread(scheme: &str, script: impl Fn(&mut TcpStream) + Send + 'static) -> Stall {
    let server = HttpReceiver::raw(move |mut stream| script(&mut stream));
    let url = format!("{scheme}://{}/v1", server.address());
    Stall::new(CallHome::builder(schema()).opt_out().endpoint(&url), server)
}

/// A receiver of that name.
fn named(host: &str) -> Stall {
    Stall::new(
        CallHome::builder(schema())
            .opt_out()
            .in_tests(true)
            .endpoint(&format!("https://{host}/v1")),
        (),
    )
}

fn begin(stream: &mut TcpStream, answer: &str) {
    let _ = stream.write_all(answer.as_bytes());
}

fn refused() -> Stall {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    Stall::new(CallHome::builder(schema()).opt_out().endpoint(&url), ())
}

/// A directory that is gone when dropped.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn spooled() -> Stall {
    let directory = format!("callhome-stalls-{}", std::process::id());
    let directory = Directory(std::env::temp_dir().join(directory));
    let server = HttpReceiver::start(|_, stream| until_closed(stream));
    let builder = CallHome::builder(schema()).opt_out().endpoint(&server.url("/"));
    let stall = Stall::new(builder.spool(&directory.0), (server, directory));
    Stall { outcome: (0, 0), ..stall }
}

/// A body that the buffers of the sockets do not hold.
fn nothing_read() -> Stall {
    const SIZE: usize = 32 << 20;
    let (held, hold) = mpsc::channel::<()>();
    let server = HttpReceiver::raw(move |stream| {
        let _ = hold.recv();
        drop(stream);
    });
    let schema = schema().fact("text", &*"x".repeat(SIZE).leak());
    let builder = CallHome::builder(schema).opt_out().endpoint(&server.url("/"));
    Stall::new(builder.max_body(2 * SIZE).max_pending_bytes(4 * SIZE), (server, held))
}

/// Something of the application that does not return; what to drop to let it go, and what tells
/// that it is inside.
fn hanging() -> (impl Fn() + Send + Sync + 'static, Sender<()>, Receiver<()>) {
    let (held, hold) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel();
    let both = Mutex::new((entered, hold));
    let hang = move || {
        let both = both.lock().unwrap();
        let _ = both.0.send(());
        let _ = both.1.recv();
    };
    (hang, held, inside)
}

struct Slow<F>(F);

impl<F: Fn() + Send + Sync> Sink for Slow<F> {
    fn send(&self, _: &Parcel<'_>) -> Result<(), SendError> {
        (self.0)();
        Ok(())
    }

    fn describe(&self) -> String {
        "a slow sink".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

fn slow_sink() -> Stall {
    let (hang, held, _) = hanging();
    Stall::new(CallHome::builder(schema()).opt_out().sink(Slow(hang)), held)
}

fn hanging_function() -> Stall {
    let (hang, held, _) = hanging();
    let schema = schema().fact_with("hangs", move || {
        hang();
        "at last"
    });
    let server = HttpReceiver::answering("HTTP/1.1 200 OK\r\n\r\n");
    Stall::new(CallHome::builder(schema).opt_out().endpoint(&server.url("/")), (server, held))
}

/// The background thread of an installed aggregator hangs in a function of the application. There
/// is one global recorder in a process, so this is used once.
fn hanging_background() -> Stall {
    let (hang, held, inside) = hanging();
    let schema = schema().sampled("hangs", move || {
        hang();
        1.0
    });
    let server = HttpReceiver::answering("HTTP/1.1 200 OK\r\n\r\n");
    let builder = CallHome::builder(schema).opt_out().endpoint(&server.url("/"));
    let callhome = builder.sample_every(Duration::from_millis(100)).install().unwrap();
    inside.recv_timeout(SOON).unwrap();
    let callhome = Arc::new(callhome);
    Stall { callhome, outcome: (0, 1), late: false, _alive: Box::new((server, held)) }
}

/// Another thread is in the middle of an attempt, for which it has more time.
fn in_flight() -> Stall {
    let (entered, inside) = mpsc::channel();
    let server = HttpReceiver::start(move |_, stream| {
        let _ = entered.send(());
        until_closed(stream);
    });
    let stall =
        Stall::new(CallHome::builder(schema()).opt_out().endpoint(&server.url("/")), server);
    let callhome = Arc::clone(&stall.callhome);
    std::thread::spawn(move || callhome.flush());
    inside.recv_timeout(SOON).unwrap();
    Stall { outcome: (0, 2), ..stall }
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

type Kind = (&'static str, fn() -> Stall);

/// The kinds, by name.
const KINDS: &[Kind] = &[
    ("connection refused", refused),
    ("connection accepted, then silence", || unread("http", until_closed)),
    ("connection accepted, then closed", || unread("http", |_| ())),
    ("request read, then silence", || answered(until_closed)),
    ("the same with a spool (spooled)", spooled),
    ("no byte of a large body read", nothing_read),
    ("answer cut in its headers", || answered(|s| begin(s, "HTTP/1.1 200 OK\r\nX: "))),
    ("headers a byte at a time", || {
        answered(|s| {
            begin(s, "HTTP/1.1 200 OK\r\nX: ");
            trickle(s, std::iter::repeat(b'x'));
        })
    }),
    ("headers without end", || {
        answered(|s| {
            begin(s, OK);
            endlessly(s, b"X: xxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
        })
    }),
    ("interim answers without end", || {
        answered(|s| {
            endlessly(s, b"HTTP/1.1 102 Processing\r\n\r\n");
        })
    }),
    ("body without end (accepted)", || {
        let stall = answered(|s| {
            begin(s, "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n");
            endlessly(s, &[b'x'; 4096]);
        });
        Stall { outcome: (1, 0), ..stall }
    }),
    ("body a byte at a time", || {
        let stall = answered(|s| {
            begin(s, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
            trickle(s, std::iter::repeat(b'x'));
        });
        Stall { late: true, ..stall }
    }),
    ("TLS to a port that speaks HTTP", || {
        unread("https", |s| begin(s, "HTTP/1.1 400 Bad\r\n\r\n"))
    }),
    ("TLS to a silent port", || unread("https", until_closed)),
    ("TLS a byte at a time", || {
        unread("https", |s| {
            let _ = s.write_all(&[0x16, 3, 3, 0x3f, 0xff]);
            trickle(s, std::iter::repeat(2));
        })
    }),
    ("a silent proxy", || named("proxied.invalid")),
    ("a name that does not resolve", || named("direct.invalid")),
    ("a sink that hangs", slow_sink),
    ("a function of the schema that hangs", hanging_function),
    ("the same on the background thread", hanging_background),
    ("an attempt under way that hangs", in_flight),
];

#[test]
fn a_shutdown_keeps_its_deadline_whatever_stalls() {
    // A proxy is set in the environment, so the measuring is done in a process of its own.
    let proxy = HttpReceiver::raw(|mut stream| until_closed(&mut stream));
    let proxy = format!("http://{}", proxy.address());
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "direct.invalid")];
    let test = "a_shutdown_keeps_its_deadline_whatever_stalls";
    let table = apart_with(test, &variables, || {
        println!("{:<40} {:>9} {:>9}  came to", "", "asked", "took");
        for (name, prepare) in KINDS {
            let stall = prepare();
            let began = Instant::now();
            let end = stall.callhome.shutdown(DEADLINE);
            let took = began.elapsed();
            println!("{name:<40} {DEADLINE:>9.0?} {took:>9.1?}  {end}");
            assert!(took < DEADLINE + MARGIN, "{name}: {took:?}");
            let outcome = (end.accepted(), end.lost());
            let right = outcome == stall.outcome || stall.late && outcome == (1, 0);
            assert!(right, "{name}: {end}");
        }
    });
    print!("{table}");
}

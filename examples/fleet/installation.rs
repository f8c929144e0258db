//! One node of an installation: its processes one after the other, and what the receiver got of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use callhome::sink::{Parcel, SendError, Sink};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, Figure, Schema};
use metrics::{counter, histogram};

use crate::random::Random;

/// Monday, 2026-01-05, 00:00 UTC.
const START: u64 = 1_767_571_200;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// What is recorded is recorded as often as this.
const STEP: u64 = 6 * HOUR;
const VERSIONS: [&str; 3] = ["1.0", "1.1", "1.2"];
pub(crate) const ERRORS: [&str; 2] = ["timeout", "refused"];

pub(crate) fn builder(version: &'static str) -> Builder {
    let schema = Schema::new("fleet")
        .fact("version", version)
        .section("environment", |s| s.instance_id("process").cluster_id("cluster"))
        .section("usage", |s| {
            s.counter("requests")
                .errors("errors", ERRORS)
                .summary("rows")
                .with(Figure::Count)
                .with(Figure::Buckets(256))
                .counter("exports")
                .counter("imports")
                .counter("replays")
                .distinct("distinct_clients", "client_id")
                .mergeable()
        });
    let day = Duration::from_secs(DAY);
    CallHome::builder(schema).every(day).sink(Wire::default()).max_attempts(2)
}

/// What was recorded in a window.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) requests: u64,
    pub(crate) errors: [u64; 2],
    /// How often each value.
    pub(crate) rows: BTreeMap<u64, u64>,
    pub(crate) exports: u64,
    pub(crate) imports: u64,
    pub(crate) clients: BTreeSet<u64>,
    /// Samples that are none.
    pub(crate) refused: u64,
}

/// A process that is over.
pub(crate) struct Process {
    /// The installation's number.
    pub(crate) of: u64,
    pub(crate) version: &'static str,
    /// By number of the window, from 1 on.
    pub(crate) windows: Vec<Recorded>,
    /// What the receiver got, in that order; some of it twice.
    pub(crate) arrived: Vec<String>,
}

/// The way to the receiver.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    random: Option<Random>,
    is_down: bool,
    arrived: Vec<String>,
}

impl Sink for Wire {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let mut state = self.0.lock().map_err(|_| SendError::retry("poisoned"))?;
        let body = String::from_utf8_lossy(parcel.body()).into_owned();
        let case = state.random.as_mut().map_or(999, |random| random.below(1000));
        if state.is_down || case < 20 {
            return Err(SendError::retry("away"));
        }
        // Whether it has arrived is not what the sender is told.
        let (copies, answer) = match case {
            20..30 => (0, Err(SendError::retry("silent").possibly_delivered())),
            30..45 => (1, Err(SendError::retry("silent").possibly_delivered())),
            45..60 => (1, Err(SendError::retry("busy"))),
            60..65 => (0, Err(SendError::refused("never"))),
            65..80 => (2, Ok(())),
            _ => (1, Ok(())),
        };
        state.arrived.extend(std::iter::repeat_n(body, copies));
        answer
    }

    fn describe(&self) -> String {
        "wire".to_owned()
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// All processes of an installation. Each tenth has a second node.
pub(crate) fn live(number: u64, days: u64) -> Vec<Process> {
    let nodes = 0..=u64::from(number % 10 == 3);
    nodes.flat_map(|node| Node::new(number, node, days).live()).collect()
}

/// How many clients an installation has, and how many come in a step at most.
fn clients(number: u64) -> (u64, u64) {
    match number % 400 {
        7 | 13 => (40_000, 1600),
        at if at % 40 == 3 => (2000, 120),
        _ => (1 + number % 17, 4),
    }
}

struct Node {
    number: u64,
    random: Random,
    clock: VirtualClock,
    /// Since the fleet's first day, in seconds.
    now: u64,
    end: u64,
    /// When it gets each version.
    upgrades: [u64; 3],
    /// When the receiver is down.
    outage: (u64, u64),
}

impl Node {
    fn new(number: u64, node: u64, days: u64) -> Node {
        let mut random = Random::new(number + (node << 40));
        let span = days * DAY;
        let latest = if random.in_thousand(500) { DAY / 2 } else { span };
        let begin = random.below(latest);
        let end = if random.in_thousand(100) { begin + random.below(span) } else { span };
        let never = span + 1;
        let mut upgrade = |released: u64| match random.in_thousand(200) {
            true => never,
            false => released + random.below(10 * DAY),
        };
        let upgrades = [0, upgrade(span / 3), upgrade(span * 2 / 3)];
        let clock = VirtualClock::new();
        let skew = match random.below(100) {
            0..5 => random.below(6 * HOUR) as i64 - 3 * HOUR as i64,
            _ => 0,
        };
        let wall = (START + begin).saturating_add_signed(skew);
        clock.set_wall(SystemTime::UNIX_EPOCH + Duration::from_secs(wall));
        let outage = (span * 2 / 5, span / 2);
        Node { number, random, clock, now: begin, end: end.min(span), upgrades, outage }
    }

    /// The version that it has now.
    fn version(&self) -> &'static str {
        let has = self.upgrades.iter().rposition(|at| *at <= self.now);
        VERSIONS[has.unwrap_or(0)]
    }

    /// All its processes, one after the other.
    fn live(mut self) -> Vec<Process> {
        let is_off = self.random.in_thousand(30);
        let mut processes = Vec::new();
        while self.now < self.end {
            processes.push(self.run(is_off));
        }
        processes
    }

    /// A process from its start to its end.
    fn run(&mut self, is_off: bool) -> Process {
        let (version, wire) = (self.version(), Wire::default());
        let installation = format!("installation {}", self.number);
        let builder = builder(version).sink(wire.clone()).clock(self.clock.clone());
        let instance = format!("{installation}, process {}", self.random.next());
        let secret = format!("what the nodes of {installation} know");
        let builder = builder.cluster_id(installation).instance_id(instance).opt_out();
        let builder = builder.distinct_key(secret);
        let switch = is_off.then(|| "off".to_owned());
        let callhome = builder.setting("--telemetry", switch).build().expect("good settings");
        if let Ok(mut state) = wire.0.lock() {
            state.random = Some(Random::new(self.random.next()));
        }
        let (mut windows, mut open) = (Vec::new(), Recorded::default());
        while self.now < self.end && self.version() == version {
            metrics::with_local_recorder(callhome.recorder(), || self.record(&mut open));
            self.pass(&callhome, &wire, &mut windows, &mut open);
            if self.random.in_thousand(3) {
                callhome.set_enabled(false).expect("nothing is kept on disk");
                self.now = self.end; // it never says yes again
            } else if self.random.in_thousand(20) {
                break; // a restart
            }
        }
        // A process that is killed sends no last window.
        let is_killed = self.random.in_thousand(300);
        if let Ok(mut state) = wire.0.lock() {
            state.is_down |= is_killed;
        }
        windows.push(open);
        let _ = callhome.shutdown(Duration::from_secs(30));
        let arrived = wire.0.lock().map(|mut state| std::mem::take(&mut state.arrived));
        let arrived = arrived.unwrap_or_default();
        Process { of: self.number, version, windows, arrived }
    }

    /// Lets a step pass, in which the aggregator does what is due.
    fn pass(
        &mut self,
        callhome: &CallHome,
        wire: &Wire,
        windows: &mut Vec<Recorded>,
        open: &mut Recorded,
    ) {
        let until = self.now + STEP;
        loop {
            if let Ok(mut state) = wire.0.lock() {
                state.is_down = (self.outage.0..self.outage.1).contains(&self.now);
            }
            let wait = callhome.tick().as_secs().max(1).min(until - self.now);
            let sealed = callhome.preview().sequence() as usize - 1;
            while windows.len() < sealed {
                windows.push(std::mem::take(open));
            }
            self.clock.advance(Duration::from_secs(wait));
            self.now += wait;
            if self.now >= until {
                return;
            }
        }
    }

    fn record(&mut self, open: &mut Recorded) {
        let Node { number, random, .. } = self;
        let requests = random.below(1000 * (1 + *number % 17));
        counter!("usage.requests").increment(requests);
        open.requests += requests;
        for (kind, errors) in ERRORS.iter().zip(&mut open.errors) {
            let count = random.below(1 + requests / 100);
            counter!("usage.errors", "kind" => *kind).increment(count);
            *errors += count;
        }
        for _ in 0..random.below(40) {
            let octave = random.below(20);
            let rows = (1 << octave) + random.below(1 << octave);
            histogram!("usage.rows").record(rows as f64);
            *open.rows.entry(rows).or_default() += 1;
        }
        if random.in_thousand(20) {
            histogram!("usage.rows").record(f64::NAN);
            open.refused += 1;
        }
        if *number % 7 == 0 {
            counter!("usage.exports").increment(1);
            open.exports += 1;
        }
        let (clients, most) = clients(*number);
        for _ in 0..random.below(most + 1) {
            let client = random.below(clients);
            counter!("usage.distinct_clients", "client_id" => format!("client {client}"))
                .increment(1);
            open.clients.insert(client);
        }
        if *number % 200 == 3 && random.in_thousand(100) {
            counter!("usage.imports").increment(1);
            open.imports += 1;
        }
    }
}

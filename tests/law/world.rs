//! An aggregator, its receiver, and a ledger of what each window holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver as Gone, Sender};
use std::time::Duration;

use callhome::{Builder, CallHome, Clock, ErrorKind, Figure, Moment, Schema};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram, with_local_recorder};

use super::ledger::Held;
use super::receiver::Receiver;
use super::steps::{Answer, By, Limits, Patience, Step};
use callhome::testing::VirtualClock;

const FIRST: Duration = Duration::from_secs(60 * 60);
pub(crate) const EVERY: Duration = Duration::from_secs(4 * 60 * 60);
/// How finely the spool keeps the time.
const MILLISECOND: Duration = Duration::from_millis(1);
const SAMPLE: Duration = Duration::from_secs(30 * 60);

type Checked = Result<(), String>;

/// Fails with the message unless it is so.
macro_rules! law {
    ($so:expr, $($message:tt)+) => {
        if !$so {
            return Err(format!($($message)+));
        }
    };
}

pub(crate) struct World {
    limits: Limits,
    clock: VirtualClock,
    receiver: Receiver,
    process: Process,
    /// All windows that were sealed, by id.
    windows: BTreeMap<String, Held>,
    /// What was recorded in all: counted, samples, their sum.
    recorded: (u64, u64, i64),
    /// What was not sealed when its process ended.
    unsealed: (u64, u64, i64),
    /// Windows that earlier processes have counted as lost, or that waited there when they crashed.
    lost: u64,
    spool: Directory,
}

/// A process with an aggregator in it.
struct Process {
    callhome: CallHome,
    /// Disconnects when nothing is left of the aggregator and its threads.
    gone: Gone<()>,
    handles: (Counter, Histogram, Gauge),
    /// The windows it has sealed.
    sealed: Vec<String>,
    open: Held,
    /// The id that the open window's report will have.
    open_id: String,
    gauge: Option<i64>,
    next_report: Duration,
    next_sample: Duration,
    /// What the last tick returned.
    wait: Duration,
    /// The windows that were on disk when it started.
    found: u64,
    /// Those that a shutdown has left there.
    spooled: u64,
    /// What a preview has shown, while nothing has changed since.
    promised: Option<String>,
}

impl World {
    pub(crate) fn new(limits: Limits) -> World {
        let clock = VirtualClock::new();
        let receiver = Receiver::new(clock.clone(), limits.attempts);
        let spool = Directory::new(limits.spool);
        let process = start(limits, &spool, &clock, &receiver);
        let (windows, recorded, unsealed, lost) = (BTreeMap::new(), (0, 0, 0), (0, 0, 0), 0);
        World { limits, clock, receiver, process, windows, recorded, unsealed, lost, spool }
    }

    pub(crate) fn step(&mut self, step: &Step) -> Checked {
        let promised = match step {
            Step::Flush | Step::Receiver(_) | Step::Once(_) => self.process.promised.take(),
            _ => None,
        };
        self.process.promised = promised;
        self.receiver.state().pace.beat = self.process.next_report;
        match *step {
            Step::Count(by, times) => {
                self.record(by, |held, recorded| {
                    held.counted += u64::from(times);
                    recorded.0 += u64::from(times);
                });
                let kept = self.process.handles.0.clone();
                self.on(
                    by,
                    || kept.increment(times.into()),
                    || counter!("counted").increment(times.into()),
                );
            }
            Step::Sample(by, times) => {
                self.record(by, |held, recorded| {
                    (0..i64::from(times)).for_each(|at| held.samples.add(at));
                    recorded.1 += u64::from(times);
                    recorded.2 += (0..i64::from(times)).sum::<i64>();
                });
                let kept = self.process.handles.1.clone();
                let each = |to: &Histogram| (0..times).for_each(|at| to.record(at));
                self.on(by, || each(&kept), || each(&histogram!("samples")));
            }
            Step::Level(by, value) => {
                self.process.gauge = Some(value.into());
                self.process.open.levels.reach(value.into());
                let kept = self.process.handles.2.clone();
                self.on(by, || kept.set(value), || gauge!("levels").set(value));
            }
            Step::See(by, value) => {
                self.process.open.seen.insert(value);
                let see = || counter!("seen", "id" => value.to_string()).increment(1);
                let by = if let By::Handle = by { By::Macro } else { by };
                self.on(by, see, see);
            }
            Step::NotANumber => {
                self.process.open.refused += 1;
                self.process.handles.1.record(f64::NAN);
            }
            Step::Advance(time) => self.clock.advance(time),
            Step::Tick => self.tick()?,
            Step::Next => {
                self.clock.advance(self.process.wait);
                self.tick()?;
            }
            Step::Flush => self.flush()?,
            Step::Preview => {
                let preview = self.process.callhome.preview();
                law!(preview.id() == self.process.open_id, "a preview of another window");
                self.process.promised = Some(preview.body().into());
            }
            Step::Receiver(answer) => self.receiver.state().standing = answer,
            Step::Once(answer) => self.receiver.state().once.push_back(answer),
            Step::Shutdown(patience) => return self.shutdown(patience),
            Step::Crash => {
                self.check()?;
                let status = self.process.callhome.status();
                let left = if self.limits.spool { status.pending() } else { 0 };
                self.restart(status.lost() + status.pending() - left);
                let found = self.process.found;
                law!(found == left, "{found} windows on disk, {left} were sealed");
            }
        }
        self.check()
    }

    /// Notes what is recorded, as often as it is.
    fn record(&mut self, by: By, note: impl Fn(&mut Held, &mut (u64, u64, i64))) {
        let times = if let By::TwoThreads = by { 2 } else { 1 };
        (0..times).for_each(|_| note(&mut self.process.open, &mut self.recorded));
    }

    fn on(&self, by: By, kept: impl Fn() + Send + Sync, made: impl Fn() + Sync) {
        let recorder = self.process.callhome.recorder();
        match by {
            By::Handle => kept(),
            By::Macro => with_local_recorder(recorder, &made),
            By::TwoThreads => std::thread::scope(|scope| {
                scope.spawn(|| with_local_recorder(recorder, &made));
                scope.spawn(kept);
            }),
        }
    }

    fn tick(&mut self) -> Checked {
        let now = self.clock.now().monotonic;
        let process = &mut self.process;
        if beat(&mut process.next_sample, SAMPLE, now) {
            process.gauge.into_iter().for_each(|value| process.open.levels.add(value));
        }
        if beat(&mut process.next_report, EVERY, now) {
            self.seal();
        }
        self.receiver.state().pace.beat = self.process.next_report;
        self.process.wait = self.process.callhome.tick();
        let next = self.process.next_report.min(self.process.next_sample) - now;
        let wait = self.process.wait;
        law!(
            wait > Duration::ZERO && wait <= next,
            "a wait of {wait:?}, {next:?} before something is due"
        );
        Ok(())
    }

    fn flush(&mut self) -> Checked {
        let id = self.seal();
        self.receiver.state().pace.urgent = true;
        let flushed = self.process.callhome.flush();
        let mut state = self.receiver.state();
        state.pace.urgent = false;
        let accepted =
            state.reports.values().find(|known| known.accepted && known.windows.contains(&id));
        match (&flushed, accepted) {
            (Ok(report), Some(known)) => {
                law!(report.body().as_bytes() == known.body, "a flush returns another report");
            }
            (Err(error), None) => {
                let kept =
                    error.kind() == ErrorKind::Delivery && error.to_string().contains("kept");
                let lost = error.kind() == ErrorKind::Lost;
                law!(kept || lost, "a flush fails with {error}");
            }
            (flushed, accepted) => {
                let accepted = accepted.is_some();
                return Err(format!("a flush returns {flushed:?}; accepted: {accepted}"));
            }
        }
        Ok(())
    }

    /// Notes that the aggregator is about to seal the window.
    fn seal(&mut self) -> String {
        let Process { open, open_id, gauge, sealed, .. } = &mut self.process;
        let now = self.clock.now().monotonic;
        let mut next = Held { begin: now, ..Held::default() };
        if let Some(value) = *gauge {
            open.levels.add(value);
            next.levels.reach(value);
        }
        open.end = now;
        self.windows.insert(open_id.clone(), std::mem::replace(open, next));
        sealed.push(open_id.clone());
        self.receiver.state().pace.sealed();
        open_id.clone()
    }

    fn shutdown(&mut self, patience: Patience) -> Checked {
        let before = self.process.callhome.status();
        let accepted = self.receiver.state().told.0;
        self.seal();
        self.receiver.state().pace.urgent = true;
        let deadline = match patience {
            Patience::Ample => Duration::from_secs(60),
            Patience::Hardly(micros) => Duration::from_micros(micros.into()),
        };
        let end = self.process.callhome.shutdown(deadline);
        let (all, pending) = (end.accepted() + end.spooled() + end.lost(), before.pending());
        law!(all == pending + 1, "{end}; there were {pending} and the last");
        let error = self.process.callhome.flush().map(|_| "done").map_err(|error| error.kind());
        law!(error == Err(ErrorKind::Usage), "a flush after a shutdown: {error:?}");
        if let Patience::Ample = patience {
            let arrived = self.receiver.state().told.0 - accepted;
            law!(arrived == end.accepted(), "{end}, but {arrived} arrived");
            self.process.spooled = end.spooled();
            self.check()?;
            let status = self.process.callhome.status();
            law!(status.pending() == 0, "something waits after a shutdown");
            let unshipped =
                status.losses().iter().any(|(reason, _)| *reason == "reports_unshipped");
            law!(!(self.limits.spool && unshipped), "{end}, and there is a spool");
        }
        let arrived = self.restart(before.lost() + end.lost()) - accepted;
        self.look()?;
        law!(arrived >= end.accepted(), "{end}, but {arrived} arrived");
        // What is under way when the time is over may yet come to the disk.
        let (found, spooled) = (self.process.found, end.spooled());
        let most = if let Patience::Ample = patience { spooled } else { pending + 1 };
        law!((spooled..=most).contains(&found), "{found} windows on disk; {end}");
        Ok(())
    }

    /// Another process takes the place of this, of which nothing is left but what it knows to be
    /// `lost`. Returns how many windows it was told are accepted, to its very end.
    fn restart(&mut self, lost: u64) -> u64 {
        self.lost += lost;
        let open = &self.process.open;
        self.unsealed.0 += open.counted;
        self.unsealed.1 += open.samples.count;
        self.unsealed.2 += open.samples.sum;
        let nobody = CallHome::builder(Schema::new("nobody").counter("n")).build().unwrap();
        drop(std::mem::replace(&mut self.process.callhome, nobody));
        let _ = self.process.gone.recv(); // the thread of a shutdown may still be sending
        let told = self.receiver.state().told.0;
        self.receiver.state().restart();
        self.process = start(self.limits, &self.spool, &self.clock, &self.receiver);
        told
    }

    /// The law, at this moment.
    fn check(&mut self) -> Checked {
        self.look()?;
        let Process { callhome, sealed, open_id, found, spooled, .. } = &mut self.process;
        if sealed.last() == Some(open_id) {
            *open_id = callhome.preview().id().into();
        }
        let (status, state) = (callhome.status(), self.receiver.state());
        let (accepted, pending, lost) = (status.accepted(), status.pending(), status.lost());
        let all = sealed.len() as u64 + *found;
        law!(
            accepted + pending + *spooled + lost == all,
            "{all} windows: {accepted} accepted, {pending} pending, {spooled} spooled, {lost} lost"
        );
        let (arrived, refused) = state.told;
        law!(accepted == arrived, "{accepted} windows accepted, of {arrived}");
        let losses: BTreeMap<_, _> = status.losses().into_iter().collect();
        let of = |reason| losses.get(reason).copied().unwrap_or(0);
        law!(of("reports_refused") == refused, "{losses:?}, but {refused} refused");
        // What may be lost otherwise: nothing that is young, and nothing while few wait.
        let now = self.clock.now().monotonic;
        let old = |held: &&Held| held.end + self.limits.age <= now + MILLISECOND;
        let old = self.windows.values().filter(old).count() as u64;
        law!(of("reports_expired") <= old, "{losses:?}, but only {old} windows are old");
        let few = all <= self.limits.pending as u64;
        law!(!few || of("reports_overflowed") == 0, "{losses:?}, with {all} windows in all");
        let others = lost - refused - of("reports_expired") - of("reports_overflowed");
        law!(others == of("reports_unshipped"), "{losses:?}");
        Ok(())
    }

    /// Compares the reports that are new with the ledger.
    fn look(&mut self) -> Checked {
        let mut state = self.receiver.state();
        if let Some(broken) = state.broken.first() {
            return Err(broken.clone());
        }
        for id in std::mem::take(&mut state.fresh) {
            let known = &state.reports[&id];
            let mut held: Option<Held> = None;
            for window in &known.windows {
                let Some(next) = self.windows.get(window) else {
                    return Err(format!("a report of a window {window} that was never sealed"));
                };
                let own = state.reports.get(window).filter(|_| *window != id);
                law!(
                    own.is_none_or(|own| !own.taken && !own.unsure),
                    "what may have arrived is merged"
                );
                law!(own.is_none_or(|own| !own.refused), "what was refused is merged");
                match &mut held {
                    None => held = Some(next.clone()),
                    Some(held) => held.take_in(next),
                }
            }
            let held = held.map(|held| held.shown());
            law!(known.shown == held, "a report of\n{:?} instead of\n{held:?}", known.shown);
            if let Some(promised) = self.process.promised.take() {
                let same = promised.as_bytes() == known.body;
                law!(same || !promised.contains(&id), "a preview shows another report");
            }
            // Only what this process has sealed: another began to count at 1.
            if let Some(last) = self.process.sealed.iter().position(|other| *other == id) {
                law!(
                    known.sequence == last as u64 + 1,
                    "window {} is {}",
                    last + 1,
                    known.sequence
                );
                let first = (last + 1).saturating_sub(known.windows.len());
                law!(
                    self.process.sealed[first..=last] == known.windows,
                    "a report of windows not in a row"
                );
            }
        }
        Ok(())
    }

    /// Lets all arrive, and draws the balance.
    pub(crate) fn end(mut self) -> Checked {
        self.process.promised = None;
        {
            let mut state = self.receiver.state();
            state.once.clear();
            state.standing = Answer::Accept;
        }
        // And what it asked for is over.
        let until = {
            let state = self.receiver.state();
            state.pace.hold.max(state.pace.rest)
        };
        self.clock.advance(until.saturating_sub(self.clock.now().monotonic));
        // A receiver is asked again after a day at the latest, and with the next window at that.
        for _ in 0..30 {
            self.tick()?;
            self.check()?;
            self.clock.advance(Duration::from_secs(60 * 60));
        }
        let pending = self.process.callhome.status().pending();
        law!(pending == 0, "{pending} windows wait for ever");
        self.flush()?; // tells of what was lost last
        self.check()?;

        let state = self.receiver.state();
        let mut arrived = BTreeSet::new();
        let mut total = self.unsealed;
        for known in state.reports.values().filter(|known| known.taken) {
            for window in &known.windows {
                law!(arrived.insert(window), "window {window} arrived twice");
            }
            let Some(shown) = &known.shown else { return Err("a report without data".into()) };
            total.0 += shown.counted;
            total.1 += shown.samples.count;
            total.2 += shown.samples.sum;
        }
        // Those that are counted as lost, or waited when the process was gone.
        for (_, held) in self.windows.iter().filter(|(id, _)| !arrived.contains(id)) {
            total.0 += held.counted;
            total.1 += held.samples.count;
            total.2 += held.samples.sum;
        }
        law!(total == self.recorded, "{total:?} of {:?}", self.recorded);
        let (missing, lost) =
            (self.windows.len() - arrived.len(), self.lost + self.process.callhome.status().lost());
        law!(missing as u64 <= lost, "{missing} windows are missing, {lost} are said to be lost");

        let mut told = BTreeMap::new();
        let own = self.process.sealed.iter().filter_map(|id| state.reports.get(id));
        for (reason, windows) in own.filter(|known| known.accepted).flat_map(|known| &known.tells) {
            *told.entry(reason.as_str()).or_insert(0) += windows;
        }
        let lost: BTreeMap<_, _> = self.process.callhome.status().losses().into_iter().collect();
        law!(told == lost, "{lost:?} were lost, {told:?} told of");
        Ok(())
    }
}

/// The clock of an aggregator, which is the last that it lets go of: the lock of its spool is free
/// then.
struct Watched(VirtualClock, #[allow(dead_code)] Sender<()>);

impl Clock for Watched {
    fn now(&self) -> Moment {
        self.0.now()
    }
}

/// Whether the beat has come; then the next is ahead.
fn beat(next: &mut Duration, every: Duration, now: Duration) -> bool {
    let come = *next <= now;
    while *next <= now {
        *next += every;
    }
    come
}

fn start(limits: Limits, spool: &Directory, clock: &VirtualClock, receiver: &Receiver) -> Process {
    let (alive, gone) = mpsc::channel();
    let schema = Schema::new("s").counter("counted");
    let schema = schema.summary("samples").with(Figure::Count).with(Figure::Sum);
    let schema = schema.gauge_summary("levels").with(Figure::Count).with(Figure::Sum);
    let builder = CallHome::builder(schema.distinct("seen", "id"))
        .opt_out()
        .clock(Watched(clock.clone(), alive))
        .sink(receiver.clone())
        .first_after(FIRST)
        .every(EVERY)
        .spread(Duration::ZERO)
        .sample_every(SAMPLE)
        .max_attempts(limits.attempts)
        .max_pending(limits.pending)
        .max_age(limits.age);
    let builder = spool.0.iter().fold(builder, Builder::spool);
    let callhome = builder.build().unwrap();
    let handles = with_local_recorder(callhome.recorder(), || {
        (counter!("counted"), histogram!("samples"), gauge!("levels"))
    });
    let now = clock.now().monotonic;
    let open_id = callhome.preview().id().into();
    let status = callhome.status();
    let found = status.pending() + status.lost();
    Process {
        callhome,
        gone,
        handles,
        sealed: Vec::new(),
        open: Held { begin: now, ..Held::default() },
        open_id,
        gauge: None,
        next_report: now + FIRST,
        next_sample: now + SAMPLE,
        wait: Duration::ZERO,
        found,
        spooled: 0,
        promised: None,
    }
}

/// A spool that no other schedule has, in memory where there is such a directory; gone when dropped.
struct Directory(Option<PathBuf>);

impl Directory {
    fn new(is_wanted: bool) -> Directory {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = || {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            format!("callhome-law-{}-{number}", std::process::id())
        };
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        Directory(is_wanted.then(|| parent.join(name())))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.0.iter().for_each(|path| drop(std::fs::remove_dir_all(path)));
    }
}

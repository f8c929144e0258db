//! The background thread: when what is due, and waiting for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::{Error, ErrorKind};
use crate::guard::caught;

/// When to sample and when to seal, on the monotonic clock.
#[derive(Debug)]
pub(crate) struct Schedule {
    sample: Option<Beat>,
    report: Beat,
}

/// A point in time that comes back at a fixed interval.
#[derive(Clone, Copy, Debug)]
struct Beat {
    next: Duration,
    every: Duration,
}

impl Beat {
    /// Whether the beat has come. It then moves on by whole intervals, so it neither drifts with
    /// the time that the work takes nor makes up for beats that were slept through.
    fn take(&mut self, now: Duration) -> bool {
        let Some(late) = now.checked_sub(self.next) else { return false };
        let missed = late.as_nanos() / self.every.as_nanos().max(1);
        let steps = u32::try_from(missed + 1).unwrap_or(u32::MAX);
        self.next = self.next.saturating_add(self.every.saturating_mul(steps));
        true
    }
}

impl Schedule {
    /// From `now` on: the first report after `first`, then one every `report`; a sample every
    /// `sample`, where anything is sampled.
    pub(crate) fn new(
        now: Duration,
        first: Duration,
        report: Duration,
        sample: Option<Duration>,
    ) -> Schedule {
        Schedule {
            sample: sample.map(|every| Beat { next: now.saturating_add(every), every }),
            report: Beat { next: now.saturating_add(first), every: report },
        }
    }

    /// Whether a sample is due; the next one then is one interval on.
    pub(crate) fn take_sample(&mut self, now: Duration) -> bool {
        self.sample.as_mut().is_some_and(|beat| beat.take(now))
    }

    /// Whether a report is due; the next one then is one interval on.
    pub(crate) fn take_report(&mut self, now: Duration) -> bool {
        self.report.take(now)
    }

    /// When the next report is due.
    pub(crate) fn next_report(&self) -> Duration {
        self.report.next
    }

    /// When anything is due.
    pub(crate) fn next(&self) -> Duration {
        self.sample.map_or(self.report.next, |sample| sample.next.min(self.report.next))
    }
}

/// The background thread, as seen from outside.
#[derive(Clone)]
pub(crate) struct Flusher {
    /// Makes the thread look again; it holds one token at most, for a second would say no more.
    wake: Sender<()>,
    /// Set once, to end the thread; the token that follows publishes it.
    stop: Arc<AtomicBool>,
    /// Nothing is ever sent; it disconnects when the thread ends.
    ended: Receiver<()>,
    thread: Arc<OnceLock<ThreadId>>,
}

impl Flusher {
    /// Starts the thread. It waits for the first [`wake`](Flusher::wake), then calls `work`, with
    /// itself, whenever the time that `work` returned last has passed. It ends by
    /// [`stop`](Flusher::stop) only.
    pub(crate) fn spawn(
        name: &str,
        mut work: impl FnMut(&Flusher) -> Duration + Send + 'static,
    ) -> Result<Flusher, Error> {
        let (wake, woken) = bounded(1);
        let (alive, ended) = bounded::<()>(0);
        let flusher = Flusher { wake, stop: Arc::default(), ended, thread: Arc::default() };
        let itself = flusher.clone();
        let run = move || {
            let _alive = alive;
            let _ = itself.thread.set(thread::current().id());
            let mut wait = Duration::MAX;
            loop {
                let _ = woken.recv_timeout(wait); // a token or the time: both mean to look
                if itself.stop.load(Ordering::Acquire) {
                    return;
                }
                // `work` catches what the application's functions panic with; should anything
                // else panic, the thread goes on.
                wait = caught(|| work(&itself)).unwrap_or(Duration::from_secs(1));
            }
        };
        thread::Builder::new().name(name.into()).spawn(run).map_err(|error| {
            let message = format!("the thread `{name}` could not be started ({error}): free some threads or raise the limit");
            Error::new(ErrorKind::Install, message).with_source(error)
        })?;
        Ok(flusher)
    }

    /// Makes the thread look again what is due.
    pub(crate) fn wake(&self) {
        let _ = self.wake.try_send(()); // it fails when there is a token already
    }

    /// Tells the thread to end after what it is doing now.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Waits until the thread has ended, for `timeout` at most; not on the thread itself.
    pub(crate) fn join(&self, timeout: Duration) {
        if !self.is_here() {
            let _ = self.ended.recv_timeout(timeout);
        }
    }

    /// Whether the calling thread is this one.
    pub(crate) fn is_here(&self) -> bool {
        self.thread.get() == Some(&thread::current().id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn beats_keep_their_phase_and_never_come_in_bursts() {
        let mut schedule = Schedule::new(s(100), s(10), s(60), Some(s(2)));
        assert_eq!((schedule.next(), schedule.next_report()), (s(102), s(110)));
        assert!(!schedule.take_sample(s(101)) && schedule.take_sample(s(103)));
        assert!(!schedule.take_sample(s(103)));
        assert_eq!(schedule.next(), s(104));
        assert!(!schedule.take_report(s(109)) && schedule.take_report(s(115)));
        assert_eq!(schedule.next_report(), s(170), "late by 5 s, and not shifted by it");
        assert!(schedule.take_report(s(10_000)), "asleep for hours");
        assert!(!schedule.take_report(s(10_001)), "what was missed is not made up for");
        assert_eq!(schedule.next_report(), s(10_010));
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let mut schedule = Schedule::new(Duration::MAX, Duration::MAX, Duration::MAX, None);
        assert!(schedule.take_report(Duration::MAX));
        assert_eq!(schedule.next(), Duration::MAX);
    }

    #[test]
    fn the_thread_works_when_woken_and_ends_when_stopped() {
        let (worked, works) = unbounded();
        let flusher = Flusher::spawn("callhome-test", move |_| {
            let _ = worked.send(thread::current().name().map(str::to_owned));
            Duration::MAX
        })
        .unwrap();
        flusher.wake();
        assert_eq!(works.recv().unwrap().as_deref(), Some("callhome-test"));
        flusher.stop();
        flusher.join(Duration::MAX);
        assert!(works.recv().is_err(), "its end drops what it worked with");
    }
}

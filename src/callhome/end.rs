//! The end: the last windows, within one deadline.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use super::CallHome;
use crate::delivery::{Tally, is_sending};
use crate::engine::Engine;
use crate::flusher::Flusher;
use crate::guard::caught;
use crate::status::Shutdown;

/// A report that ends, and the thread that ships its last window.
struct Ending {
    engine: Arc<Engine>,
    before: Tally,
    /// What keeps the system from giving a thread is said in words.
    thread: Result<JoinHandle<()>, String>,
}

impl CallHome {
    /// Ships the last window, and says what became of it. Returns by `deadline`, whatever the
    /// receiver and the application's functions do; reports that were not accepted by then are
    /// lost, and so is the last window if it could not even be sealed. A receiver that asked to be
    /// left alone is: no attempt is made. Of a report that is with the receiver at that moment
    /// nobody knows whether it arrives.
    ///
    /// What is [attached](CallHome::attach) to this one ends with it, at the same time and within
    /// the same deadline, and what is returned is the sum.
    ///
    /// Nothing is collected from now on, and nothing reported afterwards: the macros do nothing. A
    /// second call does nothing, nor does one in a forked child or within a sink.
    pub fn shutdown(&self, deadline: Duration) -> Shutdown {
        if self.engine.over().is_some() || is_sending() {
            return Shutdown::default();
        }
        // Those that come to their end here, and not by another call at the same time.
        let ending = self.ending().into_iter();
        let ending = ending.filter_map(|engine| engine.close().map(|thread| (engine, thread)));
        let ending = ending.collect::<Vec<_>>().into_iter();
        let shutdown = end(ending.filter(|(engine, _)| engine.consent.is_open()), deadline);
        if shutdown.lost > 0 {
            caught(|| log::info!("the last telemetry reports: {shutdown}"));
        }
        shutdown
    }

    /// What ends with this one: all, if it is the first.
    pub(super) fn ending(&self) -> Vec<Arc<Engine>> {
        match self.group.is_first(&self.engine) {
            true => self.group.end(),
            false => vec![Arc::clone(&self.engine)],
        }
    }
}

/// Ends these reports at the same time, and adds up what became of them.
fn end(
    engines: impl Iterator<Item = (Arc<Engine>, Option<Flusher>)>,
    deadline: Duration,
) -> Shutdown {
    let (done, all_done) = crossbeam_channel::bounded::<()>(0);
    let begin = |(engine, flusher): (Arc<Engine>, Option<Flusher>)| {
        // A function of the schema may be what shuts down, on the background thread itself.
        let flusher = flusher.filter(|flusher| !flusher.is_here());
        let before = engine.outbox.tally();
        // Nothing may panic here: it may be a panic that drops the handle.
        let now = caught(|| engine.clock.now().monotonic).unwrap_or_default();
        let until = now.saturating_add(deadline);
        let last_words = {
            let (engine, done) = (Arc::clone(&engine), done.clone());
            move || {
                let _done = done; // the last one disconnects when this ends, also by a panic
                if let Some(flusher) = flusher {
                    flusher.join(deadline); // it may be sealing a window
                }
                drop(engine.seal_last()); // an error if it was switched off in the meantime
                engine.send_now(Some(until));
            }
        };
        // On a thread of its own, for the sealing asks functions of the application and the
        // sending asks the system to look up names: neither can be interrupted.
        let thread = thread::Builder::new().name("callhome-last".into()).spawn(last_words);
        let thread = thread.map_err(|reason| format!("no thread to send with: {reason}"));
        Ending { engine, before, thread }
    };
    let endings: Vec<Ending> = engines.map(begin).collect();
    drop(done);
    let timeout = all_done.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout);
    let mut sum = Shutdown::default();
    for Ending { engine, before, thread } in endings {
        let mut error = None;
        match thread {
            Ok(thread) if timeout && !thread.is_finished() => {
                error = Some(format!("there was no answer within {deadline:?}"));
            }
            // So that it is gone when this returns.
            Ok(thread) => drop(caught(|| drop(thread.join()))),
            Err(reason) => error = Some(reason),
        }
        let after = engine.outbox.close();
        // Events that were not put together are counted among the lost already.
        let unsealed = !after.last && !engine.events.has_kinds();
        sum.accepted += after.accepted - before.accepted;
        sum.spooled += after.spooled;
        // What is pending yet, the disk has not taken.
        let lost = after.lost.total() - before.lost.total() + after.pending;
        let is_left = lost + after.spooled > 0;
        sum.lost += lost + u64::from(unsealed);
        let error = after.error.map(|error| error.to_string()).or(error);
        let error = error.or_else(|| engine.left_alone().filter(|_| is_left));
        sum.last_error = sum.last_error.or(error);
    }
    sum
}

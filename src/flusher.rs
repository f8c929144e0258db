//! The background thread, which waits for what is due.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::{Error, ErrorKind};
use crate::guard::caught;

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
    /// Starts the thread. It waits for the first [`wake`](Flusher::wake), then calls `work`
    /// whenever the time that `work` returned last has passed. It ends by [`stop`](Flusher::stop)
    /// only.
    pub(crate) fn spawn(
        name: &str,
        mut work: impl FnMut() -> Duration + Send + 'static,
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
                wait = caught(&mut work).unwrap_or(Duration::from_secs(1));
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

    #[test]
    fn the_thread_works_when_woken_and_ends_when_stopped() {
        let (worked, works) = unbounded();
        let flusher = Flusher::spawn("callhome-test", move || {
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

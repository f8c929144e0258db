//! Looking up names, which cannot be interrupted.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use parking_lot::Mutex;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::failed::failed;
use crate::sink::Fault;

/// What the system knows of a host: addresses with the port that was asked for.
type Found = io::Result<Vec<SocketAddr>>;

/// The most addresses that the client tries.
const ADDRESSES: usize = 16;

/// Looks names up on a thread of its own and waits for no longer than it may.
///
/// The system's look-up can hang and cannot be ended, so its thread may outlive the attempt. The
/// next attempt then waits for the same look-up instead of starting another: however long a name
/// service hangs, one thread waits for it.
#[derive(Clone)]
pub(super) struct Lookup {
    find: Arc<dyn Fn(&str) -> Found + Send + Sync>,
    pending: Arc<Mutex<Option<Pending>>>,
}

/// A look-up that had not returned when its attempt ended.
struct Pending {
    /// Host and port.
    name: String,
    found: Receiver<Found>,
}

impl Pending {
    /// Whether the look-up still runs. What it finds after its attempt is too old to be used.
    fn runs(&self) -> bool {
        matches!(self.found.try_recv(), Err(TryRecvError::Empty))
    }
}

impl Lookup {
    /// Asks the system.
    pub(super) fn new() -> Self {
        Lookup::by(|name| name.to_socket_addrs().map(Iterator::collect))
    }

    fn by(find: impl Fn(&str) -> Found + Send + Sync + 'static) -> Self {
        Lookup { find: Arc::new(find), pending: Arc::default() }
    }

    fn start(&self, name: String) -> io::Result<Pending> {
        let (tell, found) = mpsc::channel();
        let (find, asked) = (Arc::clone(&self.find), name.clone());
        thread::Builder::new().name("callhome-lookup".to_owned()).spawn(move || {
            // Nobody may be waiting any more.
            let _ = tell.send(find(&asked));
        })?;
        Ok(Pending { name, found })
    }
}

impl Resolver for Lookup {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let address = uri.scheme().zip(uri.authority());
        let Some(name) = address.and_then(|(s, a)| DefaultResolver::host_and_port(s, a)) else {
            return Err(failed(Fault::NameLookup, "the URL names no host"));
        };
        let explain = |why: &dyn fmt::Display| {
            failed(Fault::NameLookup, format!("cannot look up {name}: {why}"))
        };
        let mut addresses = self.empty();
        if let Ok(address) = name.parse() {
            addresses.push(address);
            return Ok(addresses);
        }
        let earlier = self.pending.lock().take().filter(|p| p.name == name && p.runs());
        let lookup = match earlier {
            Some(earlier) => earlier,
            None => self.start(name.clone()).map_err(|e| explain(&e))?,
        };
        let Ok(found) = lookup.found.recv_timeout(*timeout.after) else {
            *self.pending.lock() = Some(lookup);
            return Err(explain(&"no answer in time"));
        };
        for address in found.map_err(|e| explain(&e))?.into_iter().take(ADDRESSES) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(explain(&"no address")) } else { Ok(addresses) }
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::sink::{HttpSink, Parcel, SendError, Sink};

    const SHORT: Duration = Duration::from_millis(50);
    /// Far more than anything here takes.
    const SOON: Duration = Duration::from_secs(30);

    /// A sink whose look-ups hang until the sender is gone, and how many have begun.
    fn hanging() -> (HttpSink, mpsc::Sender<()>, Arc<AtomicUsize>) {
        let (release, held) = mpsc::channel::<()>();
        let (held, begun) = (Mutex::new(held), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&begun);
        let mut sink = HttpSink::new("https://collector.example.com/").expect("a usable URL");
        sink.lookup = Lookup::by(move |name| {
            assert_eq!(name, "collector.example.com:443");
            counted.fetch_add(1, Ordering::Relaxed);
            let _ = held.lock().recv();
            Err(io::Error::other("late"))
        });
        (sink, release, begun)
    }

    fn attempt(sink: &HttpSink, timeout: Duration) -> SendError {
        let start = Instant::now();
        let error = sink.send(&Parcel::new("6ba7b810", 1, b"{}", timeout)).expect_err("no name");
        assert!(start.elapsed() < SOON / 3, "took {:?}", start.elapsed());
        assert!(error.is_retryable() && !error.maybe_delivered(), "{error:?}");
        assert_eq!(error.fault(), Fault::NameLookup);
        error
    }

    #[test]
    fn a_look_up_that_hangs_holds_up_no_attempt_and_no_second_thread() {
        let (sink, release, begun) = hanging();
        for sink in [&sink, &sink.clone(), &sink] {
            let text = attempt(sink, SHORT).to_string();
            assert!(text.contains("no answer in time"), "{text}");
        }
        // An attempt that the same look-up ends in time for uses what it finds.
        let error = thread::scope(|scope| {
            let waiting = scope.spawn(|| attempt(&sink, SOON));
            while sink.lookup.pending.lock().is_some() {
                thread::yield_now();
            }
            drop(release);
            waiting.join().expect("no panic")
        });
        assert!(error.to_string().contains("late"), "{error}");
        assert_eq!(begun.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_was_found_after_its_attempt_is_not_used() {
        let (sink, release, begun) = hanging();
        attempt(&sink, SHORT);
        drop(release);
        while sink.lookup.pending.lock().as_ref().is_some_and(Pending::runs) {
            thread::yield_now();
        }
        attempt(&sink, SOON);
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn an_address_needs_no_look_up() {
        let mut sink = HttpSink::new("http://127.0.0.1:1/").expect("a usable URL");
        sink.lookup = Lookup::by(|_| Err(io::Error::other("asked")));
        let outcome = sink.send(&Parcel::new("6ba7b810", 1, b"{}", SOON));
        assert_eq!(outcome.expect_err("nobody listens").fault(), Fault::Connect);
    }
}

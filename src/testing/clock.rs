//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use crate::clock::{Clock, Moment};

/// A clock that stands still until a test moves it. Clones show the same time, so a test keeps one
/// and gives the other to [`Builder::clock`](crate::Builder::clock).
///
/// The clock wakes nobody: after it was moved, [`CallHome::tick`](crate::CallHome::tick) does what
/// has become due.
///
/// ```
/// use callhome::testing::{MemorySink, VirtualClock};
/// use callhome::{CallHome, Schema};
/// use std::time::Duration;
///
/// let (clock, sink) = (VirtualClock::new(), MemorySink::new());
/// let hour = Duration::from_secs(3600);
/// let callhome = CallHome::builder(Schema::new("shop").uptime("uptime"))
///     .sink(sink.clone())
///     .clock(clock.clone())
///     .opt_out()
///     .every(hour)
///     .first_after(hour)
///     .spread(Duration::ZERO)
///     .build()?;
/// clock.advance(hour);
/// callhome.tick();
/// assert_eq!(sink.documents()[0]["data"]["uptime"], 3600);
/// # Ok::<(), callhome::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<Mutex<Moment>>);

impl VirtualClock {
    /// A clock at 2023-11-14T22:13:20Z, whose monotonic time is one second.
    pub fn new() -> VirtualClock {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let now = Moment { monotonic: Duration::from_secs(1), wall };
        VirtualClock(Arc::new(Mutex::new(now)))
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let mut now = self.0.lock();
        now.monotonic += time;
        now.wall += time;
    }

    /// Somebody sets the time of day. The monotonic time goes on from where it was.
    pub fn set_wall(&self, wall: SystemTime) {
        self.0.lock().wall = wall;
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        VirtualClock::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Moment {
        *self.0.lock()
    }
}

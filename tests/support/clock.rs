//! A clock that stands still until a test moves it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use callhome::{Clock, Moment};

/// Clones show the same time.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<Moment>>);

impl TestClock {
    pub(crate) fn new() -> TestClock {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        TestClock(Arc::new(Mutex::new(Moment { monotonic: Duration::from_secs(1), wall })))
    }

    pub(crate) fn advance(&self, time: Duration) {
        let mut now = self.0.lock().unwrap();
        now.monotonic += time;
        now.wall += time;
    }

    /// Somebody sets the time of day.
    pub(crate) fn set_wall(&self, wall: SystemTime) {
        self.0.lock().unwrap().wall = wall;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }
}

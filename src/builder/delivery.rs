//! The settings of what is sent when, and of what waits.

use std::path::PathBuf;
use std::time::Duration;

use super::{Builder, defaults};

/// # When
impl Builder {
    /// The interval between reports. Default: 4 hours. At least 100 ms. The receiver may ask for a
    /// longer one ([`Hints`](crate::sink::Hints)).
    pub fn every(mut self, interval: Duration) -> Builder {
        self.every = interval;
        self
    }

    /// The shortest time until the first report, as it was set or by default.
    pub(super) fn first(&self) -> Duration {
        self.first_after.unwrap_or(defaults::FIRST_AFTER.min(self.every))
    }

    /// The shortest time until the first report; zero is at once. The instance's share of the
    /// [`spread`](Builder::spread) is added. Default: 10 minutes, or one interval if that is
    /// shorter.
    pub fn first_after(mut self, delay: Duration) -> Builder {
        self.first_after = Some(delay);
        self
    }

    /// The time over which a fleet spreads its reports: each instance is late by a share of it that
    /// its instance id decides, and each report by up to 1/64 of it in addition, but by half an
    /// interval at most. Many instances that start at the same moment do not report at the same
    /// moment then. Default: one interval. Zero for a report exactly after
    /// [`first_after`](Builder::first_after).
    pub fn spread(mut self, spread: Duration) -> Builder {
        self.spread = Some(spread);
        self
    }

    /// The interval of the sampling clock. Default: 2 seconds. At least 100 ms.
    pub fn sample_every(mut self, interval: Duration) -> Builder {
        self.sample_every = interval;
        self
    }
}

/// # Delivery
impl Builder {
    /// How long one attempt to deliver a report may take, from the name look-up to the answer.
    /// Default: 30 seconds. More than zero; [`HttpSink`](crate::sink) uses ten minutes at most.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Builder {
        self.limits.attempt = timeout;
        self
    }

    /// How many attempts to deliver follow a window's seal, each after a wait with full jitter:
    /// below a ceiling of a minute that doubles with each failure up to an hour, and 10 seconds at
    /// least. After the last one what waits is kept for the next window and becomes one with it,
    /// unless the receiver may have it already. While no attempt succeeds, windows are given one
    /// attempt each. At least 1. Default: 4.
    pub fn max_attempts(mut self, attempts: u32) -> Builder {
        self.limits.attempts = attempts;
        self
    }

    /// How many sealed reports may wait for another attempt. When there is one more, the oldest
    /// is given up and counted. Windows in a row that the receiver certainly does not have are one
    /// report, so it is those of which nobody knows whether they arrived that add up. At least 1.
    /// Default: 64.
    pub fn max_pending(mut self, reports: usize) -> Builder {
        self.limits.reports = reports;
        self
    }

    /// How many bytes of sealed reports may wait for another attempt; the oldest is given up and
    /// counted. At least as much as one report may have ([`max_body`](Builder::max_body)).
    /// Default: 4 MiB.
    pub fn max_pending_bytes(mut self, bytes: usize) -> Builder {
        self.limits.bytes = bytes;
        self
    }

    /// How long a report may wait after its (latest) window was sealed, and an event after it was
    /// sent by the application; then it is given up and counted. Events that go together are given
    /// up with the oldest of them. More than zero. Default: 7 days.
    pub fn max_age(mut self, age: Duration) -> Builder {
        self.limits.age = age;
        self
    }

    /// Keeps sealed reports in this directory too, until they are settled, so that they survive the
    /// end of the process, even by a crash: the next process that is given the directory sends them,
    /// oldest first, with its first report. Several processes may share one.
    ///
    /// The directory is made if it is not there, in a directory that is; files in it are private to
    /// the user. The limits on what waits (reports, bytes, age) hold for what is kept. If nothing
    /// can be written, or one report is larger than 16 MiB or all are than 256 MiB, reports are kept
    /// in memory alone, and one line is logged; a file that is not a whole report is set aside and
    /// counted. When the switch says no the directory is not touched. Default: none, what waits when
    /// the process ends ends with it.
    pub fn spool(mut self, directory: impl Into<PathBuf>) -> Builder {
        self.spool = Some(directory.into());
        self
    }

    /// How many bytes one report may have before it is compressed, as a receiver or a proxy may limit
    /// it. Default: 1 MiB.
    ///
    /// A report that would have more leaves detail out: first [`buckets`](crate::Figure::Buckets), then
    /// `hdr` (`Figure::Hdr`), then the `registers` of [mergeable](crate::Schema::mergeable) counts, of
    /// each the one of the field that was declared last first, one after the other until the rest fits.
    /// Null is in its place, with `buckets` also for `buckets_error`; the envelope's `losses` and
    /// [`Status::dropped_details`](crate::Status::dropped_details) count it. Nothing else is ever left
    /// out. Only the report goes without it: where the window becomes a part of a later report, its
    /// samples are part of what that has room for.
    ///
    /// It is an error of [`build`](Builder::build) if the schema's largest report is larger without
    /// any detail: one in which each number has as many digits as it can have, each text as many
    /// characters as it may have, in the form that takes the most bytes, and in the envelope all
    /// losses and 128 merged windows (6 kB). What a [`Wrapped`](crate::sink::Wrapped) sink puts around
    /// it is not counted.
    pub fn max_body(mut self, bytes: usize) -> Builder {
        self.limits.body = bytes;
        self
    }
}

//! A summary that is being recorded to.

use super::exact::EXACT_DISTINCT;
use super::reducer::Summary;

/// Samples that are kept as they came in while it is open whether they are many distinct values:
/// 64 KiB, about what cells take; as long as it is so that between two seals in a loop a recorder has
/// mostly no more to do than to keep them.
const LOG: usize = 8192;
/// Of which so many tell a window with many distinct values: continuous samples fill more than
/// [`EXACT_DISTINCT`] cells with them.
const PROOF: usize = LOG / 4;

/// Windows that a summary is taken for one with many distinct values after it last was.
const PATIENCE: u8 = 8;

/// Where the samples of a window go until it is sealed.
///
/// It prepares for a window like those before. Where these had many distinct values, counting
/// them one by one until there are too many would be most of the work of a short window; there
/// the first samples are only kept. When there is no room for more, each batch that comes is counted
/// together with as many of them, so that no recorder has a whole log to count at once; what is left
/// of it, the sealer counts. What becomes of them is the same [`Summary`] either way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intake {
    summary: Summary,
    /// The first samples of the window that are not in `summary` yet.
    log: Vec<f64>,
    /// Whether samples go to the log; `summary` is empty as long as they do.
    is_logging: bool,
    /// For how many windows from this one on there is a log.
    patience: u8,
}

/// What a window was like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlook {
    distinct: usize,
    patience: u8,
}

impl Intake {
    /// Adds `n` samples of one finite value.
    pub(crate) fn record_n(&mut self, value: f64, n: u64) {
        self.count();
        self.summary.record_n(value, n);
    }

    /// Adds a batch of finite samples.
    pub(crate) fn extend(&mut self, values: &[f64]) {
        if self.is_logging {
            if self.log.len() + values.len() <= LOG {
                return self.log.extend_from_slice(values);
            }
            self.is_logging = false;
            self.count_last(PROOF);
        }
        if !self.log.is_empty() {
            self.count_last(values.len());
        }
        self.summary.extend(values);
    }

    /// The summary of all samples.
    pub(crate) fn into_summary(mut self) -> Summary {
        self.count();
        self.summary
    }

    /// What the next window is likely to be like.
    pub(crate) fn outlook(&self) -> Outlook {
        let many = !self.summary.is_exact() || self.log.len() > EXACT_DISTINCT;
        let patience = if many { PATIENCE } else { self.patience.saturating_sub(1) };
        Outlook { distinct: self.summary.distinct(), patience }
    }

    /// An empty one, prepared for a window like that.
    pub(crate) fn prepared(outlook: Outlook) -> Intake {
        let Outlook { distinct, patience } = outlook;
        let is_logging = patience > 0;
        Intake {
            summary: Summary::with_room(if is_logging { 0 } else { distinct }),
            log: Vec::with_capacity(if is_logging { LOG } else { 0 }),
            is_logging,
            patience,
        }
    }

    /// Whether the next samples are only kept.
    #[cfg(test)]
    pub(super) fn is_logging(&self) -> bool {
        self.is_logging
    }

    /// Moves all samples from the log to the summary.
    fn count(&mut self) {
        self.is_logging = false;
        self.count_last(self.log.len());
    }

    /// Moves the last samples from the log to the summary. The log's memory stays, to be freed by
    /// the sealer, who made it: a recorder would have to lock the sealer's part of the heap.
    fn count_last(&mut self, samples: usize) {
        let (rest, last) = self.log.split_at(self.log.len().saturating_sub(samples));
        self.summary.extend_many(last);
        self.log.truncate(rest.len());
    }
}

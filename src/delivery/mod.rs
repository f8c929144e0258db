//! Sealed reports on their way: kept until they are settled, tried again, never reset.

mod backoff;
mod outbox;

pub(crate) use outbox::{Fate, Limits, Outbox, Tally};

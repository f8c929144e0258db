//! Sealed reports on their way: kept until they are settled, tried again, never reset.

mod backoff;
mod outbox;
mod queue;

pub(crate) use outbox::{Limits, Outbox, is_sending};
pub(crate) use queue::{Fate, Tally, Untold};

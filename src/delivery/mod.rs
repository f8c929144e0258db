//! Sealed reports on their way: kept until they are settled, tried again, never reset.

mod asked;
mod batches;
mod disk;
mod flush;
mod intake;
mod limits;
mod outbox;
mod pace;
mod pending;
mod queue;
mod reason;
mod spool;

pub(crate) use asked::{Asked, Lull};
pub(crate) use disk::wipe as wipe_spool;
pub(crate) use flush::Flush;
pub(crate) use intake::{Batching, Shape, Written};
pub(crate) use limits::Limits;
pub(crate) use outbox::{Outbox, is_sending};
pub(crate) use pending::{Fate, Ticket};
pub use queue::Outcome;
pub(crate) use queue::Tally;
pub(crate) use reason::Losses;

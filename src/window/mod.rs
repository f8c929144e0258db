//! From one seal to the next: what a window holds, and what it holds when it is over.

mod gains;
mod largest;
mod open;
mod sealed;

pub(crate) use open::{Answers, Window};
pub(crate) use sealed::{Bucket, Losses, NAMED, Reading, Row, Sealed};

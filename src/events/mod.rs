//! What happened once: the declared kinds of events, and what is said of one.

mod draft;
mod kinds;

pub(crate) use draft::Draft;
pub(crate) use kinds::Kinds;

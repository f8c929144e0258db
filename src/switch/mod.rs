//! May anything be collected and sent, and which rule decided.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `words` | the words for no, yes and local |
//! | `decision` | what was decided, by which rule |
//! | `source` | what one variable or setting says |
//! | `file` | what a key of a JSON file says |
//! | `ci` | which CI system this process runs in |
//! | `harness` | whether `cargo test` started this process |
//! | `rules` | the order of the sources, and the decision |
//! | `told` | the rules of one program, for its operators |
//!
//! `docs/SWITCH.md` is the same for operators; the tests generate it from the tables here.

mod ci;
mod decision;
mod file;
mod harness;
#[cfg(test)]
mod published;
mod rules;
mod source;
#[cfg(test)]
mod tests;
mod told;
mod words;

pub use ci::CiPolicy;
pub use decision::{Decision, Mode};
pub use source::Setting;

pub(crate) use rules::{Reach, Switch};
pub(crate) use source::Polarity;

//! What tests of telemetry need; with the feature `testing`, which belongs to the
//! `dev-dependencies` alone.
//!
//! | | |
//! | --- | --- |
//! | [`VirtualClock`] | time that a test moves |
//! | [`MemorySink`] | a receiver in memory |
//! | [`HttpReceiver`], [`Answer`], [`Request`] | a receiver on a port of this machine, which answers by a script |
//! | [`assert_report!`](crate::assert_report) | what a report says at some paths |
//! | [`Snapshot`] | a report without what differs from run to run |
//! | [`assert_no_network`] | that nothing connects |
//! | [`Document`] | what all of them read |
//!
//! They panic when something is not as it should be, for that is how a test fails. It is the only
//! part of the crate that does. [The guide](crate::guide::testing) shows them at work.
// Assertions are made to panic; nothing outside of tests can call them.
#![allow(clippy::expect_used, clippy::panic)]

mod answer;
mod clock;
mod document;
mod expect;
mod network;
mod path;
mod receiver;
mod request;
mod snapshot;

pub use crate::sink::MemorySink;
pub use answer::Answer;
pub use clock::VirtualClock;
pub use document::Document;
#[doc(hidden)]
pub use expect::{expect as __expect, expect_absent as __expect_absent};
pub use network::assert_no_network;
pub use receiver::{HttpReceiver, until_closed};
pub use request::Request;
pub use snapshot::Snapshot;

use std::time::Duration;

/// The longest that the kit waits for something that must happen. Far more than it takes; its only
/// use is that a broken test ends.
const SOON: Duration = Duration::from_secs(30);

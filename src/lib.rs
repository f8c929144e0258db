#![cfg_attr(feature = "http", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "http"), doc = "An in-memory metric aggregator, see README.md.")]
//! # The parts
//!
//! | | |
//! | --- | --- |
//! | [`Schema`], [`Fact`], [`Series`], [`Values`], [`Figure`], [`Transform`] | what may leave the process |
//! | [`CallHome`], [`Builder`] | the aggregator, and its settings |
//! | [`Event`] | what happened once |
//! | [`Recorder`] | what the macros of `metrics` record to |
//! | [`Report`], [`Status`], [`Shutdown`] | what was sent, what waits, and what became of the rest |
//! | [`Page`], [`assert_page_current!`] | the page about the reports, and the test that keeps it true |
//! | [`Changes`], [`assert_schema_compatible!`] | what a receiver has to know, and the test that keeps it so |
//! | [`view`] | what the operator looks at: the state and the next report, as one HTML page |
//! | [`Decision`], [`Mode`] | whether anything is reported, and which rule decided it |
//! | [`Setting`], [`CiPolicy`] | what the application tells the switch |
//! | [`sink`] | where reports go |
//! | [`host`] | facts about the machine and the process |
//! | [`route`] | paths without their variable parts |
//! | [`Clock`] | where time comes from |
#![cfg_attr(feature = "testing", doc = "| [`testing`] | what tests of telemetry need |")]
//! | [`guide`] | pages about what spans several items |
//! | [`Error`] | what went wrong, in which value, and the remedy |
#![cfg_attr(docsrs, feature(doc_cfg))] // says beside an item which feature it needs
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod artefact;
mod builder;
mod cache;
mod callhome;
mod cell;
mod clock;
mod consent;
mod delivery;
mod engine;
mod error;
mod events;
mod files;
mod flusher;
mod guard;
pub mod guide;
mod handle;
pub mod host;
mod panics;
mod recorder;
mod registry;
mod report;
pub mod route;
mod routes;
mod schedule;
mod schema;
pub mod sink;
mod status;
mod summary;
mod switch;
#[cfg(feature = "testing")]
pub mod testing;
pub mod view;
mod window;

pub use artefact::{Changes, Page};
#[doc(hidden)]
pub use artefact::{check as __check, check_contract as __check_contract};
pub use builder::Builder;
pub use callhome::{CallHome, Event};
pub use clock::{Clock, Moment};
pub use delivery::Outcome;
pub use error::{Error, ErrorKind};
pub use recorder::Recorder;
pub use report::Report;
pub use schema::{Fact, Figure, Sample, Schema, Series, Transform, Values};
pub use status::{Shutdown, Status};
pub use switch::{CiPolicy, Decision, Mode, Setting};

/// The snippets of the other documents, compiled with the tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../DESIGN.md")]
    struct Design;
    #[doc = include_str!("../CHANGELOG.md")]
    struct Changelog;
    #[doc = include_str!("../docs/PRIVACY.md")]
    struct Privacy;
}

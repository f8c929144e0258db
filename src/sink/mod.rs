//! Where a sealed report goes.
//!
//! A sink knows bytes, not metrics: it is handed a [`Parcel`] and answers whether the receiver took
//! it. It makes exactly one attempt. When to try again, for how long and what to give up is decided
//! by the caller, from what the [`SendError`] says.
//!
//! | sink | a report goes to |
//! | --- | --- |
#![cfg_attr(feature = "http", doc = "| [`HttpSink`] | a collector, as one HTTP POST |")]
//! | [`FileSink`] | a file, one line per report |
//! | [`MemorySink`] | this process, for tests |
//!
//! Anything else is an implementation of [`Sink`]. [`Wrapped`] puts reports into the envelope that a
//! receiver asks for. [`Hints`] are what a receiver may ask for with an acceptance: fewer reports.

mod contract;
mod error;
mod fault;
mod file;
mod hints;
#[cfg(feature = "http")]
mod http;
mod log;
mod memory;
mod wrapped;

pub use contract::{Parcel, Sink};
pub use error::SendError;
pub use fault::Fault;
pub use file::FileSink;
pub use hints::Hints;
#[cfg(feature = "http")]
pub use http::HttpSink;
pub(crate) use log::LogSink;
pub use memory::MemorySink;
pub use wrapped::Wrapped;

//! An in-memory metric aggregator behind the `metrics` facade.

mod error;

pub use error::{Error, ErrorKind};

//! An in-memory metric aggregator behind the `metrics` facade.

#![allow(dead_code, unused_imports)] // until the modules above use it
mod cell;
mod error;
pub mod host;
mod schema;
pub mod sink;
mod summary;
mod switch;

pub use error::{Error, ErrorKind};
pub use schema::{Fact, Sample, Schema};
pub use switch::Decision;

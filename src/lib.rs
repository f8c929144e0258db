//! An in-memory metric aggregator behind the `metrics` facade.

#![allow(dead_code, unused_imports)] // until the modules above use it
mod cell;
mod error;
mod summary;

pub use error::{Error, ErrorKind};

//! A sealed window as one nested JSON document. The only module that knows the shape of it.

mod document;
mod envelope;
mod number;
mod pretty;
mod rows;
mod sealed;

pub use sealed::Report;

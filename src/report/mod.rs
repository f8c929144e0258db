//! A sealed window as one nested JSON document. The only module that knows the shape of it.

mod document;
mod envelope;
mod event;
mod fit;
mod form;
mod number;
mod pretty;
mod rows;
mod sealed;
mod sketched;

pub(crate) use event::Event;
pub(crate) use form::Form;
pub use sealed::Report;

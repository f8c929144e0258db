//! What the kit reads: anything that holds a report.

use std::borrow::Cow;

use serde_json::Value;

use super::Request;
use crate::report::Report;

/// Something that holds one JSON document.
///
/// Of a [`Report`] it is the data, as when it is indexed; of all others it is the whole, with the
/// envelope, if there is one.
pub trait Document {
    /// The document.
    ///
    /// # Panics
    ///
    /// If it is no JSON.
    fn document(&self) -> Cow<'_, Value>;
}

impl Document for Report {
    fn document(&self) -> Cow<'_, Value> {
        Cow::Borrowed(self.data())
    }
}

impl Document for Value {
    fn document(&self) -> Cow<'_, Value> {
        Cow::Borrowed(self)
    }
}

/// The body.
impl Document for Request {
    fn document(&self) -> Cow<'_, Value> {
        self.body.document()
    }
}

impl Document for [u8] {
    fn document(&self) -> Cow<'_, Value> {
        match serde_json::from_slice(self) {
            Ok(value) => Cow::Owned(value),
            Err(error) => panic!("no JSON ({error}): {}", String::from_utf8_lossy(self)),
        }
    }
}

impl Document for Vec<u8> {
    fn document(&self) -> Cow<'_, Value> {
        self.as_slice().document()
    }
}

impl Document for str {
    fn document(&self) -> Cow<'_, Value> {
        self.as_bytes().document()
    }
}

impl Document for String {
    fn document(&self) -> Cow<'_, Value> {
        self.as_bytes().document()
    }
}

impl<D: Document + ?Sized> Document for &D {
    fn document(&self) -> Cow<'_, Value> {
        (**self).document()
    }
}

//! A report: serialised once, then only passed on.

use std::fmt;
use std::ops::Index;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde_json::Value;

use super::document::Data;
use super::envelope::Envelope;
use super::fit::fit;
use super::form::Form;
use super::pretty::pretty;
use crate::schema::{Detail, Plan};
use crate::window::Sealed;

/// A sealed window, serialised. Every attempt to deliver it sends these bytes.
///
/// Indexing looks into the data, whether or not it travels in an envelope:
/// `report["usage"]["orders"]`; what is not there is null.
#[derive(Clone)]
pub struct Report {
    inner: Arc<Inner>,
}

struct Inner {
    id: String,
    sequence: u64,
    body: String,
    /// How much detail is left out; not known of one that was read back.
    left_out: usize,
    /// The data is all there is in the body.
    bare: bool,
    /// Read from the body when it is first asked for, which is in tests.
    data: OnceLock<Value>,
}

impl Report {
    /// Serialises a window, with as much of its detail as `most` bytes have room for. `reports_lost`
    /// is what the envelope tells of lost reports.
    pub(crate) fn new(
        sealed: &Sealed,
        plan: &Plan,
        form: Form,
        reports_lost: &[(&'static str, u64)],
        most: usize,
    ) -> Report {
        let make = |left_out: &[Detail]| body(sealed, plan, form, reports_lost, left_out);
        let (body, left_out) = fit(plan, &sealed.readings, most, make);
        Report::of(sealed.id.to_string(), sealed.sequence, body, left_out, form.bare)
    }

    /// The same without any detail.
    pub(crate) fn without_detail(
        sealed: &Sealed,
        plan: &Plan,
        form: Form,
        reports_lost: &[(&'static str, u64)],
    ) -> Report {
        let all: Vec<Detail> = plan.details().collect();
        let body = body(sealed, plan, form, reports_lost, &all);
        Report::of(sealed.id.to_string(), sealed.sequence, body, all.len(), form.bare)
    }

    /// A report that was serialised before.
    pub(crate) fn read_back(id: String, sequence: u64, body: String, bare: bool) -> Report {
        Report::of(id, sequence, body, 0, bare)
    }

    fn of(id: String, sequence: u64, body: String, left_out: usize, bare: bool) -> Report {
        let inner = Inner { id, sequence, body, left_out, bare, data: OnceLock::new() };
        Report { inner: Arc::new(inner) }
    }

    /// How much detail it does not have for want of room.
    pub(crate) fn left_out(&self) -> usize {
        self.inner.left_out
    }

    /// The report's id, a random UUID. Every attempt to deliver the report carries it.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The report's number, from 1, counted by this process.
    pub fn sequence(&self) -> u64 {
        self.inner.sequence
    }

    /// The bytes that are sent: one JSON document in UTF-8, on one line.
    pub fn body(&self) -> &str {
        &self.inner.body
    }

    /// The body on many lines, for people; nothing but white space is added.
    pub fn pretty(&self) -> String {
        pretty(self.body())
    }

    /// The data, parsed. Its objects do not keep the order of the schema; the
    /// [`body`](Report::body) does.
    pub fn data(&self) -> &Value {
        let Inner { body, bare, data, .. } = &*self.inner;
        data.get_or_init(|| {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            match body {
                Value::Object(mut envelope) if !bare => envelope.remove("data").unwrap_or_default(),
                data => data,
            }
        })
    }
}

/// The document of a window without the detail that is `left_out`.
fn body(
    sealed: &Sealed,
    plan: &Plan,
    form: Form,
    reports_lost: &[(&'static str, u64)],
    left_out: &[Detail],
) -> String {
    match form.bare {
        true => write(&Data { plan, readings: &sealed.readings, left_out }),
        false => write(&Envelope { sealed, plan, form, reports_lost, left_out }),
    }
}

/// Serialises into a string. Nothing here can fail: every key is a string, and no float is NaN
/// or infinite.
pub(super) fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl Index<&str> for Report {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.data()[name]
    }
}

/// The body.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.body())
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { id, sequence, body, .. } = &*self.inner;
        f.debug_struct("Report")
            .field("id", id)
            .field("sequence", sequence)
            .field("body", body)
            .finish()
    }
}

//! How a document is written, and which ids are around its data.

use serde::ser::SerializeMap;

use crate::schema::{Fact, Host, Kind, Plan};
use crate::window::Reading;

/// The crate and its version.
const LIBRARY: &str = concat!("callhome/", env!("CARGO_PKG_VERSION"));

/// How a document is written.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    /// The data is all there is.
    pub(crate) bare: bool,
    /// The id of the installation outlives the process. One that does not is none of an installation.
    pub(crate) is_lasting: bool,
    /// What has made it.
    pub(crate) library: &'static str,
}

impl Form {
    pub(crate) fn new(bare: bool, is_lasting: bool) -> Form {
        Form { bare, is_lasting, library: LIBRARY }
    }
}

/// The ids in an envelope. They are those of the data's fields, so none is there that the schema
/// does not declare.
pub(super) struct Ids<'a> {
    pub(super) plan: &'a Plan,
    pub(super) readings: &'a [Reading],
    pub(super) form: Form,
}

impl Ids<'_> {
    pub(super) fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        if let Some(id) = self.field(Host::InstanceId) {
            map.serialize_entry("instance", id)?;
        }
        if let Some(id) = self.field(Host::ClusterId) {
            let id = if self.form.is_lasting { id } else { &Fact::NULL };
            map.serialize_entry("installation", id)?;
        }
        Ok(())
    }

    /// What the first field of this kind says.
    fn field(&self, host: Host) -> Option<&Fact> {
        let mut fields = self.plan.leaves.iter().zip(self.readings);
        fields.find_map(|(leaf, reading)| match (&leaf.field.kind, reading) {
            (Kind::Host(other), Reading::Fact(id)) if *other == host => Some(id),
            _ => None,
        })
    }
}

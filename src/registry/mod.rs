//! Which metric records to which cell.

mod buckets;
mod lookup;
mod series;

pub(crate) use buckets::Buckets;
pub(crate) use lookup::{Cell, Found, Registry, Tallies, label_of};
pub(crate) use series::Series;

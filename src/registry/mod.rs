//! Which metric records to which cell.

mod lookup;
mod series;

pub(crate) use lookup::{Cell, Found, Registry, Tallies, label_of};
pub(crate) use series::Series;

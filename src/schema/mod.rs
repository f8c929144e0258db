//! What may leave the process: a declared, ordered tree of fields.

mod check;
mod detail;
mod fact;
mod field;
mod figure;
mod given;
mod plan;
mod recorded;
mod series;
pub(crate) mod transform;
mod tree;
mod values;

pub(crate) use detail::Detail;
pub use fact::Fact;
pub use field::Sample;
pub(crate) use field::{Ask, Field, Host, Kind};
pub use figure::Figure;
pub(crate) use given::Given;
pub(crate) use plan::{Class, Filled, Item, Leaf, Plan};
pub use series::Series;
pub(crate) use series::{LabelKey, LabelValues, Of};
pub use transform::Transform;
pub use tree::Schema;
pub use values::Values;

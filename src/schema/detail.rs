//! What a report leaves out where it would have more bytes than it may.

use super::field::Field;
use super::plan::Plan;

/// All that may be left out, by its name in a report, in the order in which it goes: the first of all
/// fields before the second of any.
const ORDER: &[(&str, Has)] = &[
    ("buckets", |field| shows(field, "buckets")),
    ("hdr", |field| shows(field, "hdr")), // with the feature of that name
    ("registers", |field| field.mergeable),
];

/// Whether a field says it.
type Has = fn(&Field) -> bool;

/// What one field says beside its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Its name in a report.
    pub(crate) key: &'static str,
    /// Where the field is among the plan's leaves.
    pub(crate) leaf: usize,
}

impl Detail {
    /// Whether this is among those that are left out.
    pub(crate) fn is_in(left_out: &[Detail], leaf: usize, key: &str) -> bool {
        left_out.iter().any(|detail| detail.leaf == leaf && detail.key == key)
    }
}

impl Plan {
    /// The names of all detail, in the order in which it is left out.
    pub(crate) fn detail_keys(&self) -> Vec<&'static str> {
        let mut keys: Vec<&str> = self.details().map(|detail| detail.key).collect();
        keys.dedup();
        keys
    }

    /// All detail of a report in the order in which it is left out: of one name that of the field
    /// that was declared last first.
    pub(crate) fn details(&self) -> impl Iterator<Item = Detail> {
        ORDER.iter().flat_map(move |(key, has)| {
            let leaves = self.leaves.iter().enumerate().rev();
            let leaves = leaves.filter(move |(_, leaf)| has(&leaf.field));
            leaves.map(move |(leaf, _)| Detail { key, leaf })
        })
    }
}

fn shows(field: &Field, key: &str) -> bool {
    field.figures.iter().any(|figure| figure.key() == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Figure, Schema};

    #[test]
    fn detail_goes_by_its_name_and_then_from_the_last_field_on() {
        let both = |s: Schema| {
            let s = s.with(Figure::Count);
            #[cfg(feature = "hdr")]
            let s = s.with(Figure::Hdr(1.0));
            s.with(Figure::Buckets(16))
        };
        let schema = Schema::new("s").distinct("x", "id").mergeable().distinct("y", "id");
        let schema = both(schema.summary("a")).counter("b");
        let plan =
            Plan::new(schema.section("s", |s| both(s.gauge_summary("c")))).expect("a schema");
        let order: Vec<(&str, usize)> = plan.details().map(|one| (one.key, one.leaf)).collect();
        let mut all = vec![("buckets", 4), ("buckets", 2)];
        if cfg!(feature = "hdr") {
            all.extend([("hdr", 4), ("hdr", 2)]);
        }
        all.push(("registers", 0));
        assert_eq!(order, all);
    }
}

//! The cells of a labelled series.

use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use metrics::Key;
use parking_lot::Mutex;

use super::lookup::label_of;
use crate::schema::{self, LabelValues};

/// A cell for each combination of values, made beforehand. They are numbered in the order in which
/// they are reported.
pub(crate) struct Series<C> {
    labels: Vec<Label>,
    cells: Vec<Arc<C>>,
}

/// A label key, and the place of each of its values.
struct Label {
    key: String,
    /// How many places there are. The last may be that of all others.
    count: usize,
    values: Places,
}

enum Places {
    /// If there are more places than names, the last is that of all others.
    Listed { names: Vec<Arc<str>>, places: HashMap<Arc<str>, usize> },
    Seen {
        /// Written under the lock of `places`, before a handle for the place is given out; read
        /// by sealers, without the lock.
        names: Box<[OnceLock<Arc<str>>]>,
        places: Mutex<HashMap<Arc<str>, usize>>,
    },
}

/// What a metric's key means to a series.
pub(super) enum Meaning {
    /// It records to one of the cells.
    Cell,
    /// It has a value that is not declared.
    Undeclared,
    /// It lacks a label.
    Unlabelled,
}

impl Label {
    fn new(key: &schema::LabelKey) -> Label {
        let values = match &key.values {
            LabelValues::Listed { list, .. } => {
                let names: Vec<Arc<str>> = list.iter().map(|name| Arc::from(&**name)).collect();
                let places = names.iter().cloned().zip(0..).collect();
                Places::Listed { names, places }
            }
            LabelValues::Seen(most) => Places::Seen {
                names: (0..*most).map(|_| OnceLock::new()).collect(),
                places: Mutex::default(),
            },
        };
        Label { key: key.name.clone(), count: key.values.count(), values }
    }

    /// Whether there is a place for the value.
    fn admits(&self, value: &str) -> bool {
        match &self.values {
            Places::Listed { places, names } => {
                self.count > names.len() || places.contains_key(value)
            }
            Places::Seen { .. } => true,
        }
    }

    /// The place of a value, and whether it is that of all others because no other was left.
    fn place(&self, value: &str) -> (usize, bool) {
        let last = self.count - 1;
        match &self.values {
            Places::Listed { places, .. } => (places.get(value).copied().unwrap_or(last), false),
            Places::Seen { names, places } => {
                let mut places = places.lock();
                if let Some(place) = places.get(value) {
                    return (*place, false);
                }
                let fits = value.chars().nth(schema::Series::LONGEST_VALUE).is_none();
                let next = places.len();
                match names.get(next).filter(|_| fits && value != schema::Series::OTHER) {
                    Some(vacant) => {
                        let name = vacant.get_or_init(|| Arc::from(value));
                        places.insert(Arc::clone(name), next);
                        (next, false)
                    }
                    None => (last, true),
                }
            }
        }
    }

    /// The name of a place, and whether it is listed; `None` for one whose value has not come yet.
    fn name(&self, place: usize) -> Option<(Arc<str>, bool)> {
        let (name, listed) = match &self.values {
            Places::Listed { names, .. } => (names.get(place), true),
            Places::Seen { names, .. } if place < names.len() => (names.get(place)?.get(), false),
            Places::Seen { .. } => (None, false),
        };
        let other = || (schema::Series::OTHER.into(), false);
        let beyond = place + 1 == self.count;
        match name {
            Some(name) => Some((Arc::clone(name), listed)),
            None => beyond.then(other),
        }
    }
}

impl<C> Series<C> {
    /// `cell` makes a cell, given whether it is reported before anything is recorded to it.
    pub(super) fn new(declared: &schema::Series, cell: impl Fn(bool) -> C) -> Series<C> {
        let labels: Vec<Label> = declared.keys.iter().map(Label::new).collect();
        let mut series = Series { labels, cells: Vec::new() };
        for slot in 0..declared.slots() {
            let listed = series.names(slot).is_some_and(|(_, listed)| listed);
            series.cells.push(Arc::new(cell(listed)));
        }
        series
    }

    /// All cells, in the order in which they are reported.
    pub(crate) fn cells(&self) -> &[Arc<C>] {
        &self.cells
    }

    /// The values that the cell of this number is for, one for each key, and whether all of them
    /// are listed; `None` when one has not come yet.
    pub(crate) fn names(&self, slot: usize) -> Option<(Vec<Arc<str>>, bool)> {
        let (mut rest, mut all_listed) = (slot, true);
        let names = self.labels.iter().rev().map(|label| {
            let (name, listed) = label.name(rest % label.count)?;
            rest /= label.count;
            all_listed &= listed;
            Some(name)
        });
        let mut names: Vec<Arc<str>> = names.collect::<Option<_>>()?;
        names.reverse();
        Some((names, all_listed))
    }

    /// What a metric's key means.
    pub(super) fn meaning(&self, key: &Key) -> Meaning {
        let values = self.labels.iter().map(|label| (label, label_of(key, &label.key)));
        let values: Option<Vec<_>> = values.map(|(label, value)| Some((label, value?))).collect();
        match values {
            None => Meaning::Unlabelled,
            Some(values) if values.iter().all(|(label, value)| label.admits(value)) => {
                Meaning::Cell
            }
            Some(_) => Meaning::Undeclared,
        }
    }

    /// The cell that a key which means one records to, and whether that is one of the others' for
    /// want of a place. A value that comes for the first time takes a place, so this is asked where
    /// a handle is made and nowhere else.
    pub(crate) fn cell(&self, key: &Key) -> Option<(&Arc<C>, bool)> {
        let (mut slot, mut is_capped) = (0, false);
        for label in &self.labels {
            let (place, capped) = label.place(label_of(key, &label.key)?);
            slot = slot * label.count + place;
            is_capped |= capped;
        }
        self.cells.get(slot).map(|cell| (cell, is_capped))
    }
}

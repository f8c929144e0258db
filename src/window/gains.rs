//! What the counters of the fields have gained since the window began.

use std::slice::IterMut;

use super::sealed::{Bucket, Reading, Row};
use crate::cell::Counter;
use crate::registry::{Buckets, Series};

/// Where the counters stood when the window began, to be gone through once in the registry's order.
pub(super) struct Gains<'o> {
    began: IterMut<'o, u128>,
    /// Whether the window ends, so that the next one begins where they stand now.
    seals: bool,
}

impl<'o> Gains<'o> {
    pub(super) fn new(began: &'o mut [u128], seals: bool) -> Gains<'o> {
        Gains { began: began.iter_mut(), seals }
    }

    /// Of the next counter.
    pub(super) fn next(&mut self, counter: &Counter, seals: bool) -> u128 {
        self.began.next().map_or(0, |began| gained(counter, began, seals && self.seals))
    }

    /// The reading of a counter. Where a cumulative one began stays what it was.
    pub(super) fn counter(&mut self, counter: &Counter, cumulative: bool) -> Reading {
        counted(self.next(counter, !cumulative), cumulative)
    }

    /// The reading of a series.
    pub(super) fn series(&mut self, series: &Series<Counter>, cumulative: bool) -> Reading {
        Reading::Series(rows(series, |counter, listed| {
            let gained = self.next(counter, listed.is_some() && !cumulative);
            (listed? || gained > 0).then(|| counted(gained, cumulative))
        }))
    }

    /// The reading of samples in buckets.
    pub(super) fn buckets(&mut self, series: &Series<Buckets>, cumulative: bool) -> Reading {
        Reading::Series(rows(series, |cell, listed| {
            let seals = listed.is_some() && !cumulative;
            let buckets = cell.counters().iter().map(|[count, sum]| {
                let count = saturated(self.next(count, seals));
                Bucket { count, sum: self.next(sum, seals) }
            });
            let buckets: Vec<Bucket> = buckets.collect();
            let is_said =
                listed? || buckets.iter().any(|bucket| bucket.count > 0 || bucket.sum > 0);
            is_said.then_some(Reading::Buckets { buckets, cumulative })
        }))
    }
}

fn counted(gained: u128, cumulative: bool) -> Reading {
    let count = saturated(gained);
    if cumulative { Reading::Total(count) } else { Reading::Counter(count) }
}

/// The values of a series. `read` gets each cell, and whether all its labels' values are listed if
/// they are known. One that has come at this very moment may not be: then the cell is left alone.
pub(super) fn rows<C>(
    series: &Series<C>,
    mut read: impl FnMut(&C, Option<bool>) -> Option<Reading>,
) -> Vec<Row> {
    let rows = series.cells().iter().enumerate().filter_map(|(slot, cell)| {
        let names = series.names(slot);
        let value = read(cell, names.as_ref().map(|(_, listed)| *listed))?;
        names.map(|(labels, _)| Row { slot, labels, value })
    });
    rows.collect()
}

/// What a counter gained since its total was `began`, which a seal moves along.
pub(super) fn gained(counter: &Counter, began: &mut u128, seals: bool) -> u128 {
    let total = counter.total();
    let gained = total.saturating_sub(*began);
    if seals {
        *began = total;
    }
    gained
}

pub(super) fn saturated(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

//! Two label sets are two series, however alike they look and whatever their hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use callhome::{CallHome, Report, Schema};
use metrics::{Key, Label, counter, with_local_recorder};
use proptest::prelude::*;

type Labels = BTreeMap<String, String>;

/// A metric's name and a label set: a series.
type Series = (String, Labels);

/// A schema with a field for each series, named by its place.
fn schema<'s>(series: impl IntoIterator<Item = &'s Series>) -> Schema {
    let fields = series.into_iter().enumerate();
    fields.fold(Schema::new("s"), |schema, (at, (name, labels))| {
        let field = schema.counter(at.to_string()).metric(name.clone());
        labels.iter().fold(field, |field, (key, value)| field.label(key, value))
    })
}

fn labels(labels: &Labels, reverse: bool) -> Vec<Label> {
    let mut labels: Vec<_> =
        labels.iter().map(|(key, value)| Label::new(key.clone(), value.clone())).collect();
    if reverse {
        labels.reverse();
    }
    labels
}

/// What each series shows when the one at `at` gets `at + 1` from each of three threads, twice:
/// a field covers every series that has its labels and perhaps more.
fn expected(series: &[Series]) -> Vec<u64> {
    let covers = |(name, wanted): &Series, (other, labels): &Series| {
        name == other && wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
    };
    let sum = |field| {
        let covered = (1..).zip(series).filter(|(_, series)| covers(field, series));
        covered.map(|(amount, _)| 6 * amount).sum()
    };
    series.iter().map(sum).collect()
}

fn reported(series: &[Series], report: &Report) -> Vec<u64> {
    (0..series.len()).map(|at| report[at.to_string().as_str()].as_u64().unwrap()).collect()
}

fn record(callhome: &CallHome, series: &[Series]) {
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                with_local_recorder(callhome.recorder(), || {
                    for reverse in [false, true] {
                        for (amount, (name, set)) in (1..).zip(series) {
                            counter!(name.clone(), labels(set, reverse)).increment(amount);
                        }
                    }
                });
            });
        }
    });
}

/// Few and short, of characters that a careless key would use as a separator.
fn word() -> impl Strategy<Value = String> {
    "[ab=,;|\"{}]{1,3}"
}

fn series() -> impl Strategy<Value = Series> {
    ("[ab=,|]{1,2}", prop::collection::btree_map(word(), word(), 0..4))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_two_label_sets_merge(series in prop::collection::btree_set(series(), 1..80)) {
        let series: Vec<Series> = BTreeSet::into_iter(series).collect();
        let callhome = CallHome::builder(schema(&series)).build().unwrap();
        record(&callhome, &series);
        prop_assert_eq!(reported(&series, &callhome.flush().unwrap()), expected(&series));
    }
}

/// Two label sets with one hash. The facade adds up the hashes of the labels, and a label's is
/// its key's and its value's, combined bit by bit with exclusive or. So swapping the values of
/// two labels changes nothing where the keys differ only in bits in which the values do not.
fn same_hash() -> [Labels; 2] {
    let hash = |key: &str, value: &str| {
        let label = Label::new(key.to_owned(), value.to_owned());
        let name = Key::from_name("m").get_hash();
        Key::from_parts("m", vec![label]).get_hash().wrapping_sub(name)
    };
    let keys: Vec<_> = (0..600).map(|n| format!("k{n}")).map(|k| (hash(&k, "v"), k)).collect();
    let values: Vec<_> = (0..2000).map(|n| format!("v{n}")).map(|v| (hash("k", &v), v)).collect();
    let pairs = |of| (0..of).flat_map(move |a| (0..a).map(move |b| (a, b)));
    let differ = |(a, b): &(usize, usize)| keys[*a].0 ^ keys[*b].0;
    let (a, b) = pairs(keys.len()).min_by_key(|pair| differ(pair).count_ones()).unwrap();
    let fits = |(c, d): &(usize, usize)| (values[*c].0 ^ values[*d].0) & differ(&(a, b)) == 0;
    let (c, d) = pairs(values.len()).find(fits).expect("other hashes: look for another collision");
    [[c, d], [d, c]].map(|of| {
        [a, b].into_iter().zip(of).map(|(k, v)| (keys[k].1.clone(), values[v].1.clone())).collect()
    })
}

#[test]
fn label_sets_with_one_hash_do_not_merge() {
    let sets = same_hash();
    let [one, other] = sets.each_ref().map(|set| Key::from_parts("m", labels(set, false)));
    assert_eq!(one.get_hash(), other.get_hash());
    assert_ne!(one, other);
    let series = sets.map(|set| ("m".to_owned(), set));
    let callhome = CallHome::builder(schema(&series)).build().unwrap();
    record(&callhome, &series);
    assert_eq!(reported(&series, &callhome.flush().unwrap()), [6, 12]);
}

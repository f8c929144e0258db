//! The protocols of this folder under a model checker: every order of their steps, and every value
//! that the memory model lets a load return:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --release --lib models
//! ```
//!
//! What runs is the code of the folder, thread-locals and thread ends included, over the primitives
//! of `sync_loom`. A ring holds two samples, a reducer has at most two parts. Models that would take
//! too long are bounded by the number of preemptions (switches away from a thread that could go on),
//! in the model's line; a bug that needs more is not found. `loom` does not move stores before loads.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::ring::{LEN, Ring};
use super::sync::renew;
use super::{Counter, Distinct, DistinctCell, Gauge, Histogram, Key, Range, Sighting, Union};

/// Checks `model` in every execution with at most so many preemptions.
fn check(preemptions: impl Into<Option<usize>>, model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions.into());
    builder.check(move || {
        renew();
        model();
    });
}

/// Runs `run` with a shared `cell` on a thread of its own.
fn spawn<T: 'static>(cell: &Arc<T>, run: impl Fn(&T) + 'static) -> thread::JoinHandle<()> {
    let cell = Arc::clone(cell);
    thread::spawn(move || run(&cell))
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

// Counters.

#[test]
fn two_seals_and_the_rest_are_what_the_owner_added() {
    check(None, || {
        let counter = Arc::new(Counter::new());
        let owner = spawn(&counter, |counter| (1..=2).for_each(|amount| counter.add(amount)));
        let (first, second) = (counter.total(), counter.total());
        join([owner]);
        let last = counter.total();
        assert!(first <= second && second <= last, "{first} {second} {last}");
        assert!([0, 1, 3].contains(&first) && [0, 1, 3].contains(&second));
        assert_eq!(last, 3);
    });
}

#[test]
fn two_seals_and_the_rest_are_what_two_owners_added() {
    check(3, || {
        let counter = Arc::new(Counter::new());
        let owners = [(1, 2), (4, 8)].map(|(one, two)| {
            spawn(&counter, move |counter| {
                counter.add(one);
                counter.add(two);
            })
        });
        let (first, second) = (counter.total(), counter.total());
        join(owners);
        let last = counter.total();
        assert!(first & !second == 0 && second & !last == 0, "{first} {second} {last}");
        assert_eq!(last, 15);
    });
}

#[test]
fn an_addition_that_does_not_fit_its_word_is_seen_by_nobody_twice() {
    check(5, || {
        const MOST: u128 = u64::MAX as u128;
        let counter = Arc::new(Counter::new());
        let owner = spawn(&counter, |counter| {
            counter.add(u64::MAX);
            counter.add(5);
        });
        let seen = counter.total();
        join([owner]);
        assert!([0, MOST, MOST + 5].contains(&seen), "{seen}");
        assert_eq!(counter.total(), MOST + 5);
    });
}

#[test]
fn a_raise_counts_what_was_added_before_it_and_nothing_twice() {
    check(4, || {
        let counter = Arc::new(Counter::new());
        let adds = spawn(&counter, |counter| counter.add(3));
        let raises = spawn(&counter, |counter| {
            assert!(counter.raise_to(5));
            assert!(counter.total() >= 5);
        });
        join([adds]);
        let added = counter.total();
        join([raises]);
        let total = counter.total();
        assert!(added >= 3 && total >= added);
        assert!(total == 5 || total == 8, "{total}");
    });
}

#[test]
fn of_two_raises_the_larger_counts() {
    check(5, || {
        let counter = Arc::new(Counter::new());
        let raises = [4, 5].map(|to| spawn(&counter, move |counter| assert!(counter.raise_to(to))));
        assert!([0, 4, 5].contains(&counter.total()));
        join(raises);
        assert_eq!(counter.total(), 5);
    });
}

#[test]
fn threads_without_a_table_lose_nothing_when_they_meet() {
    check(None, || {
        let counter = Arc::new(Counter::new());
        let adds = [u64::MAX, 2]
            .map(|amount| spawn(&counter, move |counter| counter.add_homeless(amount)));
        let seen = counter.total();
        join(adds);
        let last = u128::from(u64::MAX) + 2;
        assert!([0, 2, u128::from(u64::MAX), last].contains(&seen), "{seen}");
        assert_eq!(counter.total(), last);
    });
}

// Tables and numbers.

#[test]
fn a_table_has_one_owner_at_a_time_and_keeps_what_the_last_one_added() {
    check(3, || {
        let counter = Arc::new(Counter::new());
        let first = spawn(&counter, |counter| counter.add(1));
        let second = spawn(&counter, |counter| (0..2).for_each(|_| counter.add(2)));
        join([first]);
        // By now the first may still be handing its table on, or have done so to anybody.
        assert_eq!(counter.total() & 1, 1);
        let third = spawn(&counter, |counter| counter.add(8));
        join([second, third]);
        assert_eq!(counter.total(), 13);
    });
}

#[test]
fn a_new_counter_owes_nothing_to_the_last_of_its_number() {
    check(3, || {
        let counter = Arc::new(Counter::new());
        let owners = [1, 2].map(|amount| spawn(&counter, move |counter| counter.add(amount)));
        drop(counter);
        // The old number is free if both handles were dropped, and in use otherwise.
        let counter = Arc::new(Counter::new());
        assert_eq!(counter.total(), 0);
        join(owners);
        assert_eq!(counter.total(), 0);
        join([spawn(&counter, |counter| counter.add(4))]);
        assert_eq!(counter.total(), 4);
    });
}

#[test]
fn a_new_histogram_has_no_sample_of_the_last_of_its_number() {
    check(5, || {
        let histogram = Arc::new(Histogram::new());
        let owner = spawn(&histogram, |histogram| assert!(histogram.record(1.0)));
        drop(histogram);
        let histogram = Arc::new(Histogram::new());
        let seen = histogram.take().count();
        join([owner]);
        assert_eq!((seen, histogram.take().count()), (0, 0));
    });
}

// Rings.

/// Takes what is in the ring; each claimant must find its samples in the order of their pushes.
fn claim(ring: &Ring, claimed: &mut Vec<f64>) {
    let mut batch = [0.0; LEN];
    claimed.extend(ring.claim(&mut batch));
    assert!(claimed.is_sorted(), "{claimed:?}");
}

/// Five samples, more than twice round the ring, of which `sealers` claim some.
fn samples_are_claimed_once(sealers: &[usize]) {
    const SAMPLES: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];
    let ring = Arc::new(Ring::new());
    let sealers = sealers.iter().map(|&times| {
        let ring = Arc::clone(&ring);
        thread::spawn(move || {
            let mut claimed = Vec::new();
            (0..times).for_each(|_| claim(&ring, &mut claimed));
            claimed
        })
    });
    let sealers: Vec<_> = sealers.collect();
    let mut owned = Vec::new();
    for sample in SAMPLES {
        if ring.push(sample) {
            claim(&ring, &mut owned);
        }
    }
    let mut claimed = Vec::new();
    for sealer in sealers {
        claimed.extend(sealer.join().expect("no panic"));
    }
    claim(&ring, &mut owned);
    assert!(ring.claim(&mut [0.0; LEN]).is_empty());
    claimed.extend(owned);
    claimed.sort_by(f64::total_cmp);
    assert_eq!(claimed, SAMPLES);
}

#[test]
fn a_sealer_and_the_owner_claim_each_sample_once() {
    check(4, || samples_are_claimed_once(&[2]));
}

#[test]
fn two_sealers_and_the_owner_claim_each_sample_once() {
    check(2, || samples_are_claimed_once(&[1, 1]));
}

// Histograms.

/// Counts of the samples 1, 8, 64 …, as the octal digits of their sum.
fn counts(sum: f64) -> Vec<u32> {
    let sum = sum as u32;
    (0..6).map(|digit| sum >> (3 * digit) & 7).collect()
}

/// Owners record the samples 1, 8, 64 …, `each` of them per owner; whoever reads how many an
/// owner has recorded finds them in the next seal.
fn samples_are_sealed_once(owners: usize, each: usize, seals: usize) {
    struct Shared {
        histogram: Histogram,
        recorded: Vec<AtomicUsize>,
    }
    let recorded = (0..owners).map(|_| AtomicUsize::new(0)).collect();
    let shared = Arc::new(Shared { histogram: Histogram::new(), recorded });
    let sample = move |owner: usize, at: usize| 8f64.powi((owner * each + at) as i32);
    let threads = (0..owners).map(|owner| {
        spawn(&shared, move |shared| {
            for at in 0..each {
                assert!(shared.histogram.record(sample(owner, at)));
                shared.recorded[owner].store(at + 1, Ordering::Release);
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    let mut sealed = 0.0;
    for _ in 0..seals {
        let recorded: Vec<_> =
            shared.recorded.iter().map(|recorded| recorded.load(Ordering::Acquire)).collect();
        sealed += shared.histogram.take().figures().sum;
        for (owner, recorded) in recorded.into_iter().enumerate() {
            for at in 0..recorded {
                assert_eq!(counts(sealed)[owner * each + at], 1, "{owner} {at}: {sealed}");
            }
        }
    }
    join(threads);
    sealed += shared.histogram.take().figures().sum;
    let all = (0..owners * each).map(|at| 8f64.powi(at as i32)).sum::<f64>();
    assert_eq!(counts(sealed), counts(all));
    assert_eq!(shared.histogram.take().count(), 0);
}

#[test]
fn a_sample_is_in_the_first_seal_after_it_and_in_no_other() {
    check(3, || samples_are_sealed_once(1, 3, 2));
}

#[test]
fn two_threads_that_fold_at_once_lose_nothing() {
    check(2, || samples_are_sealed_once(2, 2, 1));
}

#[test]
fn looking_at_a_histogram_leaves_every_sample_to_the_seal() {
    check(4, || {
        let histogram = Arc::new(Histogram::new());
        let owner = spawn(&histogram, |histogram| {
            (0..3).for_each(|at| assert!(histogram.record(8f64.powi(at))));
        });
        let seen = counts(histogram.peek().figures().sum);
        let sealed = counts(histogram.take().figures().sum);
        assert!(seen.iter().zip(&sealed).all(|(seen, sealed)| seen <= sealed && *sealed <= 1));
        join([owner]);
        let rest = counts(histogram.take().figures().sum);
        let all: Vec<_> = sealed.iter().zip(rest).map(|(sealed, rest)| sealed + rest).collect();
        assert_eq!(all, [1, 1, 1, 0, 0, 0]);
    });
}

// Gauges.

fn within(range: Option<Range>, value: f64) -> bool {
    range.is_some_and(|range| range.min <= value && value <= range.max)
}

#[test]
fn every_value_set_is_within_a_window_of_its_time() {
    check(None, || {
        const VALUES: [f64; 2] = [5.0, -3.0];
        let gauge = Arc::new((Gauge::new(None, true), AtomicUsize::new(0)));
        gauge.0.set(1.0);
        let recorder = spawn(&gauge, |(gauge, set)| {
            for (at, value) in VALUES.into_iter().enumerate() {
                gauge.set(value);
                set.store(at + 1, Ordering::Release);
            }
        });
        let (gauge, set) = &*gauge;
        let set = set.load(Ordering::Acquire);
        let first = gauge.take_range();
        join([recorder]);
        let second = gauge.take_range();
        assert!(within(first, 1.0));
        for (at, value) in VALUES.into_iter().enumerate() {
            assert!(within(first, value) || (at >= set && within(second, value)), "{value}");
        }
        assert_eq!(gauge.get(), Some(-3.0));
        assert_eq!(gauge.take_range(), Some(Range { min: -3.0, max: -3.0 }));
    });
}

#[test]
fn the_value_in_force_is_within_the_window_that_it_ends() {
    check(None, || {
        let gauge = Arc::new(Gauge::new(None, true));
        gauge.set(1.0);
        let recorder = spawn(&gauge, |gauge| assert!(gauge.set(5.0)));
        let first = gauge.take_range();
        join([recorder]);
        let second = gauge.take_range();
        assert!(within(first, 1.0) && within(second, 5.0), "{first:?} {second:?}");
    });
}

#[test]
fn increments_that_meet_all_count_and_reach_a_window() {
    check(3, || {
        let gauge = Arc::new(Gauge::new(Some(1.0), true));
        let adds = [2.0, 4.0].map(|amount| spawn(&gauge, move |gauge| assert!(gauge.add(amount))));
        let first = gauge.take_range();
        join(adds);
        let second = gauge.take_range();
        assert_eq!(gauge.get(), Some(7.0));
        assert!(within(first, 7.0) || within(second, 7.0), "{first:?} {second:?}");
    });
}

// Distinct counts.

#[test]
fn a_value_seen_after_a_seal_is_in_the_next() {
    check(4, || {
        let shared = {
            let cell = DistinctCell::<Distinct>::new();
            let sighting = Sighting::new(cell.hash("a"));
            Arc::new((cell, sighting))
        };
        assert!(shared.0.see(&shared.1));
        let recorder = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || assert!(shared.0.see(&shared.1)))
        };
        let (cell, sighting) = &*shared;
        assert_eq!(cell.take().count(), 1);
        // Whatever the recorder did meanwhile, this one comes after the seal.
        assert!(cell.see(sighting));
        join([recorder]);
        assert_eq!(cell.take().count(), 1);
    });
}

#[test]
fn a_window_after_one_in_which_the_key_changed_is_under_the_new_key() {
    check(3, || {
        let [old, new] = ["old", "new"].map(|secret| Some(Key::of_secret(secret)));
        let cell = Arc::new(DistinctCell::<Union>::new());
        cell.set_key(old);
        let recorders = ["a", "b"].map(|value| {
            spawn(&cell, move |cell| assert!(cell.see(&Sighting::new(cell.hash(value)))))
        });
        let first = cell.seal(new);
        join(recorders);
        let second = cell.seal(new);
        assert_eq!(first.count() + second.count(), 2);
        let said = |set: &Union| set.registers().map(|registers| registers.iter().count() as u64);
        assert_eq!(said(&second), Some(second.count()));
        assert!(said(&first).is_none_or(|said| said == first.count()));
    });
}

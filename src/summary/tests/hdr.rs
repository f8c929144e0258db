//! Samples in HdrHistogram's encoding, and what a receiver reads of those of many summaries.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use proptest::prelude::*;

use super::oracle::Oracle;
use super::properties::{Random, SHAPES};
use crate::schema::Figure;
use crate::summary::Summary;
use crate::summary::hdr::LARGEST;

fn encoded(values: &[f64], resolution: f64) -> Option<String> {
    let mut summary = Summary::default();
    summary.extend(values);
    summary.figures().hdr(resolution)
}

fn decoded(text: &str) -> Histogram<u64> {
    let bytes = BASE64_STANDARD.decode(text).expect("base64");
    Deserializer::new().deserialize(&mut &*bytes).expect("a histogram")
}

fn counts(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let recorded = histogram.iter_recorded();
    recorded.map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value())).collect()
}

/// All that one cell stands for is read as its largest number.
fn at_rank(histogram: &Histogram<u64>, rank: u64) -> u64 {
    let mut through = 0;
    let mut recorded = histogram.iter_recorded();
    let found = recorded.find(|bucket| {
        through += bucket.count_at_value();
        through >= rank
    });
    found.expect("a sample of this rank").value_iterated_to()
}

#[test]
fn samples_are_counted_as_multiples_of_the_resolution() {
    let read = |values: &[f64], resolution| {
        encoded(values, resolution).map(|text| counts(&decoded(&text)))
    };
    assert_eq!(read(&[], 1.0), Some(vec![]));
    assert_eq!(read(&[0.0, -0.0, 3.0, 3.0, 2047.0], 1.0), Some(vec![(0, 2), (3, 2), (2047, 1)]));
    let times = [0.0004, 0.0005, 0.001, 0.0014, 0.3, 2.047];
    assert_eq!(read(&times, 0.001), Some(vec![(0, 1), (1, 3), (300, 1), (2047, 1)]));
    assert_eq!(read(&[5e6, 15e6], 1e6), Some(vec![(5, 1), (15, 1)]));
    let largest = LARGEST as f64;
    assert_eq!(read(&[largest], 1.0), Some(vec![(LARGEST, 1)]));
    assert_eq!(read(&[largest / 4.0], 0.25), Some(vec![(LARGEST, 1)]));
}

#[test]
fn what_cannot_be_counted_is_null_and_never_a_wrong_histogram() {
    let largest = LARGEST as f64;
    for (values, resolution) in [
        (vec![1.0, -1e-300], 1.0),
        (vec![-7.0], 1.0),
        (vec![1.0, largest + 1.0], 1.0),
        (vec![f64::MAX], 5e-324),
    ] {
        assert_eq!(encoded(&values, resolution), None, "{values:?} {resolution}");
    }
    let many = |n| {
        let mut summary = Summary::default();
        summary.record_n(1.0, n);
        summary.record_n(2.0, 1);
        summary.figures().hdr(1.0)
    };
    let most = i64::MAX as u64 - 1;
    assert_eq!(many(most).map(|text| decoded(&text).len()), Some(i64::MAX as u64));
    assert_eq!((many(most + 1), many(u64::MAX)), (None, None));
}

#[test]
fn all_have_one_range() {
    for values in [&[][..], &[1.0], &[1e15]] {
        let histogram = encoded(values, 1.0).map(|text| decoded(&text)).expect("a histogram");
        let range = (histogram.low(), histogram.high(), histogram.sigfig());
        assert_eq!((range, histogram.distinct_values()), ((1, LARGEST, 3), 45_056));
    }
}

/// The bound that the figure's documentation states, of a histogram that cannot be compressed.
#[test]
fn the_largest_takes_half_a_mebibyte() {
    let mut summary = Summary::default();
    let mut random = Random(7);
    let octaves =
        (11..53).flat_map(|octave| (0..1024).map(move |cell| (1024 + cell) << (octave - 10)));
    let mut left = i64::MAX as u64;
    for value in (0..2048u64).chain(octaves) {
        // As long as they can be when they are written, and random in all but the first bit.
        let least = if left > 50_000 << 42 { 1 << 48 } else { 1 << 41 };
        let n = least + (random.unit() * least as f64) as u64;
        left -= n;
        summary.record_n(value as f64, n);
    }
    let text = summary.figures().hdr(1.0).expect("a histogram");
    assert_eq!(counts(&decoded(&text)).len(), 45_056);
    assert!((360 << 10..Figure::LONGEST_HDR).contains(&text.len()), "{}", text.len());
}

proptest! {
    #[test]
    fn those_of_parts_answer_for_the_whole(
        shape in 0..SHAPES.len(), seed: u64, n in 1..4000usize, parts in 1..6usize,
        power in -9..4i32, thousandths in 0..=1000usize,
    ) {
        let mut random = Random(seed);
        let values: Vec<f64> = SHAPES[shape].samples(n, &mut random).iter().map(|v| v.abs()).collect();
        let resolution = 10f64.powi(power);
        let oracle = Oracle::new(&values);
        let most = oracle.max() / resolution;
        let mut all: Option<Histogram<u64>> = None;
        for part in values.chunks(n.div_ceil(parts)) {
            let Some(text) = encoded(part, resolution) else {
                prop_assert!(most > LARGEST as f64 * 0.999, "{} is too large", most);
                return Ok(());
            };
            let one = decoded(&text);
            prop_assert_eq!(one.len(), part.len() as u64);
            match &mut all {
                None => all = Some(one),
                Some(all) => all.add(one).expect("histograms of one range"),
            }
        }
        prop_assert!(most < LARGEST as f64 * 1.001, "{} is not too large", most);
        let parts = all.expect("at least one part");
        let whole = decoded(&encoded(&values, resolution).expect("a histogram"));
        let (rank, exact) = oracle.quantile(thousandths);
        for histogram in [parts, whole] {
            prop_assert_eq!(histogram.len(), n as u64);
            let found = at_rank(&histogram, rank as u64) as f64 * resolution;
            let bound = exact / 1000.0 + resolution * (0.5 + 1e-9);
            prop_assert!((found - exact).abs() <= bound, "{} is not {}, to {}", found, exact, bound);
        }
    }

    #[test]
    fn the_order_of_the_samples_changes_nothing(seed: u64, n in 1..3000usize) {
        let mut random = Random(seed);
        let mut values = SHAPES[seed as usize % SHAPES.len()].samples(n, &mut random);
        values.iter_mut().for_each(|value| *value = value.abs());
        let before = encoded(&values, 0.01);
        values.reverse();
        prop_assert_eq!(encoded(&values, 0.01), before);
    }
}

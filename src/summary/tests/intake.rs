//! What is recorded to, against a summary of the same samples.

use proptest::prelude::*;

use super::all;
use crate::summary::exact::EXACT_DISTINCT;
use crate::summary::{Intake, Summary};

/// Records batches, all to one window, and takes it as a sealer does.
fn window(intake: &mut Intake, batches: &[Vec<f64>]) -> Summary {
    batches.iter().for_each(|batch| intake.extend(batch));
    let prepared = Intake::prepared(intake.outlook());
    std::mem::replace(intake, prepared).into_summary()
}

#[track_caller]
fn check(window: &Summary, batches: &[Vec<f64>]) {
    let mut expected = Summary::default();
    batches.iter().for_each(|batch| expected.extend(batch));
    assert_eq!(window.is_exact(), expected.is_exact());
    assert_eq!(all(&window.figures()), all(&expected.figures()));
}

/// So many samples of so many distinct values, in batches of 64.
fn samples(count: usize, distinct: usize) -> Vec<Vec<f64>> {
    let samples: Vec<f64> = (0..count).map(|at| 1.1f64.powi((at % distinct) as i32)).collect();
    samples.chunks(64).map(<[f64]>::to_vec).collect()
}

#[test]
fn windows_do_not_depend_on_those_before() {
    let mut intake = Intake::default();
    let limit = EXACT_DISTINCT;
    let windows = [(10, 1), (0, 1), (9000, 5000), (9000, limit), (9000, limit + 1), (8192, limit)];
    let more = [
        (8193, limit + 1),
        (100, 3),
        (limit + 1, limit + 1),
        (1, 1),
        (9000, 2),
        (70, 70),
        (20_000, 5000),
        (10_000, limit),
        (20_000, 3),
    ];
    for (count, distinct) in windows.into_iter().chain(more).cycle().take(50) {
        let batches = samples(count, distinct);
        check(&window(&mut intake, &batches), &batches);
    }
}

#[test]
fn samples_of_one_value_can_come_in_bulk_at_any_time() {
    for batches in [samples(2000, 2000), samples(2000, 2)] {
        let mut intake = Intake::default();
        window(&mut intake, &samples(5000, 5000));
        batches.iter().for_each(|batch| intake.extend(batch));
        intake.record_n(7.0, 3);
        batches.iter().for_each(|batch| intake.extend(batch));
        let both: Vec<Vec<f64>> = [&batches[..], &[vec![7.0; 3]], &batches[..]].concat();
        check(&intake.into_summary(), &both);
    }
}

#[test]
fn the_memory_for_many_values_is_given_up_after_windows_with_few() {
    let mut intake = Intake::default();
    window(&mut intake, &samples(5000, 5000));
    let kept = (0..20).filter(|_| {
        let kept = intake.is_logging();
        window(&mut intake, &samples(5, 5));
        kept
    });
    assert_eq!(kept.count(), 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_windows_are_those_of_a_summary(
        windows in prop::collection::vec((0usize..20_000, 1usize..3000), 1..6),
    ) {
        let mut intake = Intake::default();
        for (count, distinct) in windows {
            let batches = samples(count, distinct);
            check(&window(&mut intake, &batches), &batches);
        }
    }
}

//! How near a report's median and mode are to the exact ones, and to those of the source.

use std::error::Error;

use callhome::{CallHome, Schema};
use metrics::histogram;

use super::svg::{Axis, Line, Plot, Scale};

/// How often each number of samples is drawn.
const DRAWS: u64 = 8;
/// The median and the mode of what the samples are drawn from.
const MIDDLE: f64 = 6000.0;

/// The errors of one window, relative.
#[derive(Clone, Copy, Default)]
struct Errors {
    /// Of the report's median, against the exact one of the same samples.
    median: f64,
    /// Of the exact median of the samples, against that of the source.
    chance: f64,
    /// Of the report's mode against that of the source.
    mode: f64,
    /// Of the most frequent sample.
    chance_mode: f64,
}

pub(crate) fn plot() -> Result<String, Box<dyn Error>> {
    let numbers: Vec<u64> = (1..5)
        .flat_map(|power| [1, 2, 5].map(|n| n * 10_u64.pow(power)))
        .chain([100_000, 200_000])
        .collect();
    let mut means = Vec::new();
    for number in numbers {
        let mut errors = [Errors::default(); DRAWS as usize];
        for (draw, error) in errors.iter_mut().enumerate() {
            *error = window(number, draw as u64)?;
        }
        let mean = |of: fn(&Errors) -> f64| errors.iter().map(of).sum::<f64>() / DRAWS as f64;
        means.push((
            number as f64,
            mean(|e| e.median),
            mean(|e| e.chance),
            mean(|e| e.mode),
            mean(|e| e.chance_mode),
        ));
    }
    let line = |name: &str, colour, is_dashed, of: fn(&(f64, f64, f64, f64, f64)) -> f64| {
        let points = means.iter().map(|mean| (mean.0, of(mean))).filter(|(_, y)| *y > 0.0);
        Line { name: name.to_owned(), points: points.collect(), colour, is_dashed }
    };
    let bound = means.iter().map(|mean| (mean.0, 0.001)).collect();
    let plot = Plot {
        title: "Relative errors of the median and the mode against the number of samples",
        x: Axis {
            name: "samples in the window",
            scale: Scale::Logarithmic,
            from: 10.0,
            to: 200_000.0,
            marks: [(10.0, "10"), (100.0, "100"), (1e3, "1000"), (1e4, "10,000"), (1e5, "100,000")]
                .map(|(at, text)| (at, text.to_owned()))
                .to_vec(),
        },
        y: Axis {
            name: "relative error",
            scale: Scale::Logarithmic,
            from: 1e-5,
            to: 1.0,
            marks: [
                (1e-5, "0.001 %"),
                (1e-4, "0.01 %"),
                (1e-3, "0.1 %"),
                (1e-2, "1 %"),
                (0.1, "10 %"),
                (1.0, "100 %"),
            ]
            .map(|(at, text)| (at, text.to_owned()))
            .to_vec(),
        },
        lines: vec![
            line("median, by the samples alone", 0, true, |mean| mean.2),
            line("median, added by the sketch", 0, false, |mean| mean.1),
            line("mode, by the samples alone", 1, true, |mean| mean.4),
            line("mode, in the report", 1, false, |mean| mean.3),
            Line {
                name: "what the sketch may add".into(),
                points: bound,
                colour: 4,
                is_dashed: true,
            },
        ],
        parts: Vec::new(),
    };
    Ok(plot.svg()?)
}

/// Records so many samples and looks at the report.
fn window(number: u64, draw: u64) -> Result<Errors, Box<dyn Error>> {
    let mut random = Random(number << 8 | draw);
    let mut samples: Vec<f64> = (0..number).map(|_| random.sample()).collect();
    let t = CallHome::builder(Schema::new("plot").summary("x")).build()?;
    metrics::with_local_recorder(t.recorder(), || {
        let histogram = histogram!("x");
        samples.iter().for_each(|sample| histogram.record(*sample));
    });
    let report = t.flush()?;
    let figure = |name: &str| report["x"][name].as_f64().unwrap_or(f64::NAN);

    samples.sort_by(f64::total_cmp);
    let half = samples.len() / 2;
    let median = match samples.len() % 2 {
        0 => (samples[half - 1] + samples[half]) / 2.0,
        _ => samples[half],
    };
    let runs = samples.chunk_by(|one, other| one == other);
    let mode = runs.rev().max_by_key(|run| run.len()).map_or(f64::NAN, |run| run[0]);
    let error = |value: f64, exact: f64| (value / exact - 1.0).abs();
    Ok(Errors {
        median: error(figure("median"), median),
        chance: error(median, MIDDLE),
        mode: error(figure("mode"), MIDDLE),
        chance_mode: error(mode, MIDDLE),
    })
}

/// The same numbers in each run.
struct Random(u64);

impl Random {
    /// From 0 to 1 (`splitmix64`).
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) as f64 / u64::MAX as f64
    }

    /// A whole number near to [`MIDDLE`]: normal, with a deviation of 1000, but for the tails.
    fn sample(&mut self) -> f64 {
        let sum: f64 = (0..12).map(|_| self.unit()).sum();
        (sum * 1000.0).round()
    }
}

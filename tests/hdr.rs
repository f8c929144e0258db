//! `Figure::Hdr` as another implementation reads it: the quantiles are those of the samples, and
//! histograms that are added up are that of all samples.
//!
//! `.ci/hdr` gets HdrHistogram for Python (from PyPI) and runs this.
#![cfg(feature = "hdr")]

use std::io::Write;
use std::process::{Command, Stdio};

use callhome::{CallHome, Figure, Schema};
use metrics::{histogram, with_local_recorder};
use serde_json::{Value, json};

/// SplitMix64, the same numbers in each run; from 0 to below 1.
fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

struct Shape {
    name: &'static str,
    resolution: f64,
    /// A multiple of 1,000, so that all agree which sample is a quantile.
    samples: usize,
    /// A sample of a number from 0 to below 1.
    of: fn(f64) -> f64,
}

const SHAPES: [Shape; 6] = [
    Shape { name: "few integers", resolution: 1.0, samples: 1000, of: |x| (x * 20.0).floor() },
    Shape { name: "many integers", resolution: 1.0, samples: 50_000, of: |x| (x * 1e6).floor() },
    Shape {
        name: "few fractions",
        resolution: 0.25,
        samples: 1000,
        of: |x| (x * 90.0).floor() / 4.0,
    },
    Shape { name: "seconds", resolution: 0.001, samples: 20_000, of: |x| 0.05 / (1.0 - x) },
    Shape { name: "large", resolution: 1.0, samples: 20_000, of: |x| 2f64.powf(52.9 * x).floor() },
    Shape { name: "larger", resolution: 1e6, samples: 20_000, of: |x| 1e20 * x * x },
];
const PERCENTS: [f64; 7] = [0.1, 1.0, 25.0, 50.0, 90.0, 99.9, 100.0];
const PARTS: usize = 4;

/// What one window says.
fn reported(callhome: &CallHome, samples: &[f64]) -> Value {
    with_local_recorder(callhome.recorder(), || {
        samples.iter().for_each(|sample| histogram!("x").record(*sample));
    });
    callhome.flush().unwrap()["x"]["hdr"].clone()
}

impl Shape {
    fn samples(&self) -> Vec<f64> {
        let mut random = random(7);
        (0..self.samples).map(|_| (self.of)(random())).collect()
    }

    /// The histograms of windows that have a part of the samples each, one that has none, and of one
    /// that has all.
    fn question(&self) -> Value {
        let schema = Schema::new("s").summary("x").with(Figure::Hdr(self.resolution));
        let callhome = CallHome::builder(schema).build().unwrap();
        let samples = self.samples();
        let parts = samples.chunks(self.samples / PARTS).chain([&[][..]]);
        let parts: Vec<Value> = parts.map(|part| reported(&callhome, part)).collect();
        json!({"parts": parts, "whole": reported(&callhome, &samples), "percents": PERCENTS})
    }

    fn check(&self, answer: &Value) {
        let Shape { name, resolution, .. } = *self;
        let mut samples = self.samples();
        samples.sort_by(f64::total_cmp);
        for who in ["merged", "whole"] {
            let told = &answer[who];
            assert_eq!(told["samples"], self.samples, "{name} {who}");
            let sum: u64 = told["cells"]
                .as_array()
                .unwrap()
                .iter()
                .map(|cell| cell[1].as_u64().unwrap())
                .sum();
            assert_eq!(sum, self.samples as u64, "{name} {who}");
            for (percent, found) in PERCENTS.iter().zip(told["quantiles"].as_array().unwrap()) {
                let rank = (percent * self.samples as f64 / 100.0).round() as usize;
                let exact = samples[rank - 1];
                let found = found.as_f64().unwrap() * resolution;
                let bound = match exact / resolution <= 2047.0 && name.starts_with("few") {
                    true => 0.0,
                    false => exact / 1000.0 + resolution * (0.5 + 1e-9),
                };
                let off = (found - exact).abs();
                assert!(off <= bound, "{name} {who} p{percent}: {found} is not {exact}");
            }
        }
        // Where the resolution is a power of two, cells and those of the histogram are the same.
        if resolution.log2().fract() == 0.0 {
            assert_eq!(answer["merged"], answer["whole"], "{name}");
        }
    }
}

#[test]
#[ignore = "needs HdrHistogram for Python, which .ci/hdr gets"]
fn another_implementation_reads_and_adds_up_what_is_written() {
    let python = std::env::var("CALLHOME_HDR").expect(".ci/hdr says where Python is");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hdr/read.py");
    let mut command = Command::new(python);
    let command = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut reader = command.spawn().unwrap();
    let questions: String = SHAPES.iter().map(|shape| format!("{}\n", shape.question())).collect();
    let mut input = reader.stdin.take().unwrap();
    // On a thread, for neither waits to be read.
    let writer = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = reader.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> =
        answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), SHAPES.len());
    SHAPES.iter().zip(&answers).for_each(|(shape, answer)| shape.check(answer));
}

//! What recording costs with `callhome`, beside its peers, in one run.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --json        # a line for each
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --smoke       # only that it runs
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --only gauge  # a part of it
//! ```
#![deny(unsafe_code)]

mod case;
mod direct;
mod facade;
mod heap;
mod measure;
mod reading;
mod recorders;
mod report;
mod scale;
mod values;
mod work;

use std::process::ExitCode;

use case::Case;
use measure::Effort;
use reading::Reading;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let smoke = arguments.iter().any(|argument| argument == "--smoke");
    let effort = if smoke { Effort::SMOKE } else { Effort::FULL };
    match arguments.as_slice() {
        [first, path, library, shape, ..] if first == "--child" => {
            let readings = case::measure(path, library, shape, effort);
            readings.iter().for_each(|reading| println!("{}", reading.to_line()));
            return ExitCode::SUCCESS;
        }
        _ => (),
    }
    let only = arguments.iter().position(|argument| argument == "--only");
    let only = only.and_then(|at| arguments.get(at + 1)).map_or("", String::as_str);
    match collect(only, smoke, effort) {
        Ok(readings) => {
            match arguments.iter().any(|argument| argument == "--json") {
                true => report::print_json(&readings),
                false => report::print_table(&readings),
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Goes round all cases several times, so that a disturbance meets a few values of many cases and
/// not all values of one.
fn collect(only: &str, smoke: bool, effort: Effort) -> Result<Vec<Reading>, String> {
    let mut readings: Vec<Reading> = Vec::new();
    let large = scale::REPETITIONS.min(effort.repetitions);
    for (cases, repetitions) in [(Case::hot(), effort.repetitions), (Case::large(), large)] {
        for repetition in 1..=repetitions {
            eprintln!("{} measurements, {repetition} of {repetitions}", cases.len());
            for case in cases.iter().filter(|case| case.matches(only)) {
                for reading in case.spawn(smoke)? {
                    match readings.iter_mut().find(|known| known.same(&reading)) {
                        Some(known) => known.merge(reading),
                        None => readings.push(reading),
                    }
                }
            }
        }
    }
    scale::compare(&mut readings);
    Ok(readings)
}

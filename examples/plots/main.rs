//! The plots of the guide, as SVG.
//!
//! ```text
//! cargo run --release --example plots -- accuracy > docs/guide/accuracy.svg
//! cargo run --release --example plots -- threads > docs/guide/threads.svg
//! cargo run --release --example plots -- arrivals 1000000 > docs/guide/arrivals.svg
//! ```
//!
//! The first records samples and compares what reports say with what is so. The second draws the
//! table of README.md. Both are the same in each run; `cargo test --test guide` has them compared. The
//! third lives a fleet of so many aggregators, and takes a minute or two for a million; the test has it
//! compared with a smaller fleet, and `.ci/run` with one of the same size.

mod accuracy;
mod arrivals;
#[allow(dead_code)] // the example `storm` prints more of it
#[path = "../storm/fleet.rs"]
mod fleet;
mod svg;
mod threads;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let plot = match arguments[..] {
        ["accuracy"] => accuracy::plot(),
        ["threads"] => threads::plot(include_str!("../../README.md")),
        ["arrivals", instances] => instances.parse().map_err(Into::into).and_then(arrivals::plot),
        _ => Err(format!("usage: plots accuracy|threads|arrivals N, not {arguments:?}").into()),
    };
    match plot {
        Ok(svg) => {
            print!("{svg}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("plots: {error}");
            ExitCode::from(2)
        }
    }
}

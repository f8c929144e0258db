//! The plots of the guide, as SVG.
//!
//! ```text
//! cargo run --release --example plots -- accuracy > docs/guide/accuracy.svg
//! cargo run --release --example plots -- threads > docs/guide/threads.svg
//! ```
//!
//! The first records samples and compares what reports say with what is so. The second draws the
//! table of README.md. Both are the same in each run; `cargo test --test guide` has them compared.

mod accuracy;
mod svg;
mod threads;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plot = match arguments.join(" ").as_str() {
        "accuracy" => accuracy::plot(),
        "threads" => threads::plot(include_str!("../../README.md")),
        _ => Err(format!("usage: plots accuracy|threads, not {arguments:?}").into()),
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

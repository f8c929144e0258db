//! A simulated fleet: what its receiver gets, and what a gallery of questions about it must answer.
//!
//! Each node of an installation is the real aggregator on a virtual clock. They come and go, are
//! upgraded, restarted and killed, say no, have clocks that are wrong, and reach a receiver that is
//! down for a while, silent or busy. The same arguments give the same fleet; only the ids of
//! reports differ.
//!
//! ```text
//! cargo run --release --example fleet -- DIRECTORY                     # 2,000 for 4 weeks
//! cargo run --release --example fleet -- DIRECTORY 1000000 1           # a million for a day
//! ```
//!
//! The arguments after the directory are installations and days. It writes `reports.jsonl`, the
//! tables' `postgres.sql` and `clickhouse.sql`, and `truth.json`: for each question of
//! [`docs/sql`](../../docs/sql/README.md) the rows of its answer.

mod installation;
mod random;
mod truth;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use installation::{builder, live};
use truth::Truth;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map(PathBuf::from).ok_or("where to? give a directory")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |n| n.parse());
    let (installations, days) = (number(2000)?, number(28)?);
    fs::create_dir_all(&directory)?;
    let mut reports = BufWriter::new(File::create(directory.join("reports.jsonl"))?);
    let (mut truth, mut taken, mut bytes, mut lines) = (Truth::default(), 0, 0, 0);
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    thread::scope(|scope| -> Result<(), Box<dyn std::error::Error>> {
        // They know nothing of each other; what comes of them is taken in their order.
        let lives = |thread| {
            let (send, lives) = mpsc::sync_channel(64);
            scope.spawn(move || {
                let numbers = (thread..installations).step_by(threads as usize);
                let mut lives = numbers.map(|number| live(number, days));
                lives.try_for_each(|life| send.send(life))
            });
            lives
        };
        let lives: Vec<_> = (0..threads).map(lives).collect();
        while let Ok(life) = lives[(taken % threads) as usize].recv() {
            for body in life.iter().flat_map(|process| &process.arrived) {
                writeln!(reports, "{body}")?;
                bytes += body.len();
                lines += 1;
            }
            truth.add(&life);
            taken += 1;
        }
        Ok(())
    })?;
    reports.into_inner()?.sync_all()?;
    let builder = builder("1.0");
    fs::write(directory.join("postgres.sql"), builder.to_postgres("fleet")?)?;
    fs::write(directory.join("clickhouse.sql"), builder.to_clickhouse("fleet")?)?;
    fs::write(directory.join("truth.json"), serde_json::to_string_pretty(&truth.answers())?)?;
    println!(
        "{lines} reports of {installations} installations, {} bytes each",
        bytes / lines.max(1)
    );
    Ok(())
}

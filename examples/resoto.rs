//! Resoto's usage data: instances, commands by name, jobs, and errors by kind.
//!
//! ```text
//! cargo run --example resoto                        # records from four threads, sends over HTTP
//! cargo run --example resoto -- --print resoto_usage # a sample with what Resoto's page lists
//! ```

mod receiver;

use std::error::Error;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use callhome::{CallHome, Schema};
use metrics::counter;

/// All that Resoto reports. No id is among it: reports cannot be told to be of one installation.
fn schema() -> Schema {
    Schema::new("resoto")
        .counter("started_cores")
        .counter("long_running_cores")
        .describe("Cores that have run for an hour")
        .series("cli_commands_executed", |s| s.seen("command").at_most(64).as_object())
        .describe("By the command's name, never its arguments")
        .counter("jobs_executed")
        .series("errors", |s| s.seen("kind"))
        .describe("By the error's type, never its message")
}

/// A command is run. Its name comes from the table of commands, whatever the user has typed.
fn run_command(name: &'static str) {
    counter!("cli_commands_executed", "command" => name).increment(1);
    if name == "search" {
        counter!("errors", "kind" => "ConnectionError").increment(1);
    }
}

/// Records what a busy core would, from four threads, and sends it home.
fn run() -> Result<(), Box<dyn Error>> {
    let (arrived, arrivals) = mpsc::channel();
    let receiver = receiver::Receiver::start(move |body| drop(arrived.send(body)))?;
    let opted_out = std::env::args().any(|argument| argument == "--analytics-opt-out");
    let callhome = CallHome::builder(schema())
        .endpoint(&receiver.url())
        .every(Duration::from_secs(60 * 60))
        .opt_out()
        .opt_out_setting("--analytics-opt-out", opted_out.then_some(true))
        .opt_out_switch("RESOTOCORE_ANALYTICS_OPT_OUT") // and DO_NOT_TRACK, always
        .bare()
        .install()?;
    println!("{}", callhome.status());
    if opted_out {
        return Ok(());
    }

    counter!("started_cores").increment(1);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for name in ["list", "search", "list"] {
                    run_command(name);
                }
                counter!("jobs_executed").increment(1);
            });
        }
    });

    let report = callhome.flush()?;
    println!("sent report {} of {} bytes; this arrived:", report.id(), report.body().len());
    println!("{}", arrivals.recv()?);
    println!("last window: {}", callhome.shutdown(Duration::from_secs(2)));
    Ok(())
}

/// Prints a sample, of what a core records in its second hour.
fn print_sample() -> Result<(), Box<dyn Error>> {
    let callhome = CallHome::builder(schema()).bare().build()?;
    metrics::with_local_recorder(callhome.recorder(), || {
        counter!("started_cores").increment(1);
        counter!("long_running_cores").increment(1);
        counter!("cli_commands_executed", "command" => "list").increment(4);
        counter!("cli_commands_executed", "command" => "search").increment(12);
        counter!("jobs_executed").increment(3);
        counter!("errors", "kind" => "ConnectionError").increment(2);
    });
    println!("{}", callhome.flush()?);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] | ["--analytics-opt-out"] => run(),
        ["--print", "resoto_usage"] => print_sample(),
        _ => {
            eprintln!(
                "usage: resoto [--analytics-opt-out | --print resoto_usage], not {arguments:?}"
            );
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("resoto: {error}");
            ExitCode::FAILURE
        }
    }
}

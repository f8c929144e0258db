//! What the examples of products' telemetry have in common: their arguments, and the receiving end
//! of a live run.

use std::error::Error;
use std::process::ExitCode;
use std::sync::mpsc;

use tiny_http::Request;

use super::receiver::Receiver;

/// What may go wrong in an example.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A document that `--print` prints, by its name.
pub(crate) type Print = (&'static str, fn() -> Result<String>);

/// Runs an example live, or prints one of its documents.
pub(crate) fn main(run: impl FnOnce() -> Result, flags: &[&str], prints: &[Print]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let print = |name: &str| prints.iter().find(|(other, _)| *other == name);
    let result = match arguments[..] {
        [] => run(),
        [flag] if flags.contains(&flag) => run(),
        ["--print", name] if print(name).is_some() => print(name)
            .into_iter()
            .try_for_each(|(_, make)| make().map(|text| println!("{}", text.trim_end()))),
        _ => {
            let names: Vec<&str> = prints.iter().map(|(name, _)| *name).collect();
            let flags: String = flags.iter().map(|flag| format!("{flag} | ")).collect();
            eprintln!("usage: [{flags}--print {}], not {arguments:?}", names.join("|"));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A receiver on this machine, and what arrives there: what `show` makes of each request and its
/// body.
pub(crate) fn receive(
    show: impl Fn(&Request, String) -> String + Send + 'static,
) -> Result<(Receiver, mpsc::Receiver<String>)> {
    let (arrived, arrivals) = mpsc::channel();
    let receiver = Receiver::start(move |request, body| {
        let _ = arrived.send(show(request, body)); // an error if nobody looks any more
    })?;
    Ok((receiver, arrivals))
}

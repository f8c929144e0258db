//! A sample with what Resoto's page lists, of what a core records in its second hour.

use callhome::CallHome;
use metrics::counter;

use super::common::Result;
use super::report::usage;

/// The report.
pub(crate) fn resoto_usage() -> Result<String> {
    let callhome = CallHome::builder(usage()).bare().build()?;
    metrics::with_local_recorder(callhome.recorder(), || {
        counter!("started_cores").increment(1);
        counter!("long_running_cores").increment(1);
        counter!("cli_commands_executed", "command" => "list").increment(4);
        counter!("cli_commands_executed", "command" => "search").increment(12);
        counter!("jobs_executed").increment(3);
        counter!("errors", "kind" => "ConnectionError").increment(2);
    });
    Ok(callhome.flush()?.body().to_owned())
}

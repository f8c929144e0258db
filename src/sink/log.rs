//! Reports as lines of the log, for an operator who wants to see them and send none.

use super::{Parcel, SendError, Sink};

/// Writes each report as one line of the `log` facade, at the level `info` and with the target
/// `callhome::report`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogSink;

impl Sink for LogSink {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let body = String::from_utf8_lossy(parcel.body());
        log::info!(target: "callhome::report", "{body}");
        Ok(())
    }

    fn describe(&self) -> String {
        "the log".to_owned()
    }

    fn is_local(&self) -> bool {
        true
    }
}

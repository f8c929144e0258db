//! A report as a file: one line to check the rest by, one line about the report, and its body.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::name::is_id;

/// A report that was read from the disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spooled {
    pub(crate) id: String,
    pub(crate) sequence: u64,
    /// In whole milliseconds.
    pub(crate) sealed_at: SystemTime,
    /// The reports that have become part of this one, and are not to be sent any more.
    pub(crate) merged: Vec<String>,
    pub(crate) body: String,
}

/// The first line. It names the length, by which a shortened file is known for certain, and a
/// checksum (CRC-32) over all that follows, by which one that was overwritten in part is known.
fn first_line(rest: &str) -> String {
    format!("callhome-spool 1 {} {:08x}\n", rest.len(), crc32fast::hash(rest.as_bytes()))
}

pub(super) fn encode(
    id: &str,
    sequence: u64,
    sealed_at: SystemTime,
    merged: &[String],
    body: &str,
) -> String {
    let age = sealed_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let sealed_at = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    let header =
        json!({ "id": id, "sequence": sequence, "sealed_at": sealed_at, "merged": merged });
    let rest = format!("{header}\n{body}");
    first_line(&rest) + &rest
}

/// The report in a file's content, if that is one whole report.
pub(super) fn decode(content: &[u8]) -> Option<Spooled> {
    let content = std::str::from_utf8(content).ok()?;
    let (first, rest) = content.split_at(content.find('\n')? + 1);
    if first != first_line(rest) {
        return None;
    }
    let (header, body) = rest.split_once('\n')?;
    let header: Value = serde_json::from_str(header).ok()?;
    let id = |value: &Value| value.as_str().map(str::to_owned);
    let report = Spooled {
        id: id(&header["id"])?,
        sequence: header["sequence"].as_u64()?,
        sealed_at: UNIX_EPOCH.checked_add(Duration::from_millis(header["sealed_at"].as_u64()?))?,
        merged: header["merged"].as_array()?.iter().map(id).collect::<Option<_>>()?,
        body: body.to_owned(),
    };
    are_ids(&report.id, &report.merged).then_some(report)
}

/// Whether the ids can be those of a report and of others that have become part of it.
pub(super) fn are_ids(id: &str, merged: &[String]) -> bool {
    is_id(id) && merged.iter().all(|other| is_id(other) && other != id)
}

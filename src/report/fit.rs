//! Which detail a report leaves out.

use super::document::Value;
use super::sealed::write;
use crate::schema::{Detail, Plan};
use crate::window::Reading;

/// The document of these readings that has no more bytes than `most`, and how much detail it leaves
/// out for that: of all there is in its order as much as suffices. `make` makes the document without
/// the detail it is given. One that has too many bytes without any detail is as it is.
pub(super) fn fit(
    plan: &Plan,
    readings: &[Reading],
    most: usize,
    make: impl Fn(&[Detail]) -> String,
) -> (String, usize) {
    let mut left_out = Vec::new();
    let mut details = plan.details();
    let mut body = make(&left_out);
    // What says that detail is left out takes bytes, too, so once is not always enough.
    while body.len() > most {
        let mut excess = body.len() - most;
        let before = left_out.len();
        for detail in details.by_ref() {
            let Some(saved) = saved(plan, readings, &mut left_out, detail) else { continue };
            excess = excess.saturating_sub(saved);
            if excess == 0 {
                break;
            }
        }
        if left_out.len() == before {
            break;
        }
        body = make(&left_out);
    }
    (body, left_out.len())
}

/// Leaves this out too if that takes fewer bytes than to say it, and says how many fewer.
fn saved(
    plan: &Plan,
    readings: &[Reading],
    left_out: &mut Vec<Detail>,
    detail: Detail,
) -> Option<usize> {
    let Detail { leaf, .. } = detail;
    let (field, reading) = (&plan.leaves.get(leaf)?.field, readings.get(leaf)?);
    let length = |left_out: &[Detail]| write(&Value { reading, field, leaf, left_out }).len();
    let with = length(left_out);
    left_out.push(detail);
    let saved = with.checked_sub(length(left_out)).filter(|saved| *saved > 0);
    if saved.is_none() {
        left_out.pop();
    }
    saved
}

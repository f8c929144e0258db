//! A report such as it may be, made by what makes the real ones.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::envelope::Sort;
use super::kind::look;
use crate::clock::Moment;
use crate::error::{Error, ErrorKind};
use crate::report::{Event, Form, Report};
use crate::schema::Plan;
use crate::window::{Losses, Sealed};

/// The id of the sample.
const ID: Uuid = Uuid::from_u128(0x3a2ef312_cd54_41d9_a0c7_64d651734d47);

/// The report of a window of this length in which each field had its example, or such an event.
pub(super) fn sample(
    plan: &Plan,
    form: Form,
    length: Duration,
    sort: Sort,
) -> Result<Report, Error> {
    let readings = plan.leaves.iter().map(|leaf| match look(&leaf.field) {
        Ok(look) => Ok(look.example),
        Err(fault) => Err(Error::new(ErrorKind::Schema, format!("`{}` {fault}", leaf.path))),
    });
    let readings = readings.collect::<Result<Vec<_>, Error>>()?;
    let at = |monotonic: Duration| {
        // The first second of 2026.
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        Moment { monotonic, wall: begin.checked_add(monotonic).unwrap_or(begin) }
    };
    if sort == Sort::Event {
        let (id, time) = (ID.to_string(), at(Duration::ZERO).wall);
        let readings = &readings;
        let event = Event { id: &id, sequence: 1, time, plan, form, readings, losses: &[] };
        return Ok(Report::read_back(id.clone(), 1, event.body(), form.bare));
    }
    let span = at(Duration::ZERO)..at(length);
    let sealed = Sealed::new(ID, 1, span, readings, Losses::default());
    Ok(Report::new(&sealed, plan, form, &[], usize::MAX))
}

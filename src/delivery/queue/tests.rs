//! What the queue counts when it ends.

use std::time::SystemTime;

use super::*;
use crate::clock::Moment;
use crate::host::identity::new_id;

fn window(sequence: u64) -> Sealed {
    let now = Moment { monotonic: Duration::ZERO, wall: SystemTime::UNIX_EPOCH };
    Sealed::new(new_id(), sequence, now..now, Vec::new(), crate::window::Losses::default())
}

fn report(sealed: Sealed, is_spooled: bool) -> Pending {
    let id = sealed.id.to_string();
    let report = Report::read_back(id, sealed.sequence, "{}".into(), true);
    Pending::new(report, sealed, Losses::default(), Limits::SMALL.age, is_spooled)
}

#[test]
fn an_end_while_windows_become_one_counts_each_once() {
    for is_spooled in [false, true] {
        let mut queue = Queue::new(Limits::SMALL);
        queue.push(Duration::ZERO, report(window(1), is_spooled));
        let (sent, _) = queue.take_up(Duration::ZERO, false).expect("a report");
        queue.answered(Duration::ZERO, sent.id(), Err(SendError::retry("down")));
        let mut second = window(2);
        queue.merge(&mut second);
        assert_eq!((second.windows, queue.tally().pending), (2, 1), "it waits as a part");

        let count = |tally: &Tally| (tally.spooled, tally.lost.total(), tally.pending);
        let (end, one) = (queue.close(), if is_spooled { (1, 0, 0) } else { (0, 1, 0) });
        assert_eq!((count(&end), end.last), (one, false));
        queue.push(Duration::ZERO, report(second, is_spooled));
        let two = if is_spooled { (2, 0, 0) } else { (0, 2, 0) };
        assert_eq!(count(&queue.tally()), two, "the second came too late for the first");
    }
}

#[test]
fn what_an_end_counts_as_spooled_stays_on_disk() {
    let mut queue = Queue::new(Limits::SMALL);
    queue.push(Duration::ZERO, report(window(1), true));
    let (sent, _) = queue.take_up(Duration::ZERO, false).expect("a report");
    queue.answered(Duration::ZERO, sent.id(), Err(SendError::retry("down")));
    let mut second = window(2);
    let (_, files) = queue.merge(&mut second);
    assert_eq!((files.len(), queue.close().spooled), (1, 1));
    // The disk is full now.
    queue.push(Duration::ZERO, report(second, false));
    assert_eq!(queue.take_gone(), Vec::<String>::new());
    assert_eq!((queue.tally().spooled, queue.tally().lost.total()), (1, 1));
}

#[test]
fn parts_that_are_on_disk_wait_there_when_what_has_them_could_not_be_written() {
    for maybe_delivered in [false, true] {
        let mut queue = Queue::new(Limits::SMALL);
        let fail = |queue: &mut Queue, error| {
            let (sent, _) = queue.take_up(Duration::MAX / 2, false).expect("a report");
            queue.answered(Duration::ZERO, sent.id(), Err(error));
        };
        queue.push(Duration::ZERO, report(window(1), true));
        fail(&mut queue, SendError::retry("down"));
        let mut second = window(2);
        let (_, files) = queue.merge(&mut second);
        queue.push(Duration::ZERO, report(second, false));
        let error = SendError::retry("no answer");
        fail(&mut queue, if maybe_delivered { error.possibly_delivered() } else { error });
        let end = queue.close();
        let (spooled, gone) = if maybe_delivered { (0, files) } else { (1, vec![]) };
        assert_eq!((end.spooled, end.lost.total()), (spooled, 2 - spooled));
        assert_eq!(queue.take_gone(), gone);
    }
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn sealed_at(sequence: u64, second: u64) -> Pending {
    let expires = s(second) + s(3600);
    Pending { sealed: None, expires, ..report(window(sequence), false) }
}

/// Accepts what is with the receiver, which wants a report a minute from now on.
fn accept(queue: &mut Queue, id: &str, now: Duration) {
    let lull = super::super::asked::Lull { hold: Duration::ZERO, rest: now + s(60) };
    queue.answered(now, id, Ok(Asked { lull, ..Asked::default() }));
}

/// Answers that take longer than the interval must not make each report one that waited already.
#[test]
fn what_is_sealed_in_a_lull_does_not_go_on_with_what_waited_before() {
    let mut queue = Queue::new(Limits { reports: 10, ..Limits::SMALL });
    let id = |taken: Option<(Report, u32)>| taken.map(|(report, _)| report.id().to_owned());
    queue.push(s(0), sealed_at(1, 0));
    let first = id(queue.take_up(s(0), false)).expect("due");
    queue.push(s(1), sealed_at(2, 1));
    accept(&mut queue, &first, s(2));
    let second = id(queue.take_up(s(2), false)).expect("it waited before");
    queue.push(s(3), sealed_at(3, 3));
    queue.push(s(4), sealed_at(4, 4));
    accept(&mut queue, &second, s(5));
    assert!(queue.take_up(s(5), false).is_none() && queue.due().is_none());
    queue.push(s(64), sealed_at(5, 64));
    assert!(queue.due().is_none());
    // The first one after the lull takes along what waits.
    queue.push(s(65), sealed_at(6, 65));
    for _ in 3..=6 {
        let next = id(queue.take_up(s(65), false)).expect("all go");
        accept(&mut queue, &next, s(65));
    }
    // So does whoever wants them now.
    queue.push(s(66), sealed_at(7, 66));
    queue.push(s(67), sealed_at(8, 67));
    assert!(queue.due().is_none());
    let next = id(queue.take_up(s(68), true)).expect("somebody asks for it");
    accept(&mut queue, &next, s(68));
    assert!(queue.take_up(s(68), false).is_some(), "all of it");
}

//! Events that wait to be sent together.

use std::collections::VecDeque;
use std::time::Duration;

use super::reason::Losses;

/// How events are sent together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batching {
    pub(crate) shape: Shape,
    /// Events in one body at most.
    pub(crate) most: usize,
    /// How long the first waits for others.
    pub(crate) within: Duration,
    /// Events that may wait to be put together; one more, and the oldest is given up and counted.
    pub(crate) waiting: usize,
}

/// What a body of several events looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// One document each.
    Single,
    Array,
    /// One line each.
    Lines,
}

/// An event, written.
pub(crate) struct Written {
    pub(crate) id: String,
    pub(crate) sequence: u64,
    pub(crate) body: String,
    /// The losses it tells of: untold again if it is lost itself.
    pub(crate) tells: Losses,
}

/// Events that wait, oldest first.
#[derive(Default)]
pub(super) struct Intake {
    waiting: VecDeque<(Duration, Written)>,
    bytes: usize,
    /// The number of the last event.
    pub(super) sequence: u64,
    /// Events up to this number wait for no others.
    pub(super) urgent: u64,
    /// Whether reporting is on.
    pub(super) is_open: bool,
}

impl Batching {
    /// Each event alone, at once.
    pub(crate) const fn single(waiting: usize) -> Batching {
        Batching { shape: Shape::Single, most: 1, within: Duration::ZERO, waiting }
    }

    /// The bytes that a body has besides its events, and besides one for each.
    pub(crate) const FRAME: usize = 2;

    /// The body of these events.
    pub(super) fn body(&self, events: &[&Written]) -> String {
        let bodies: Vec<&str> = events.iter().map(|event| &*event.body).collect();
        match self.shape {
            Shape::Single => bodies.concat(),
            Shape::Array => format!("[{}]", bodies.join(",")),
            Shape::Lines => bodies.iter().flat_map(|body| [body, "\n"]).collect(),
        }
    }
}

impl Intake {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, now: Duration, event: Written) {
        self.bytes += event.body.len();
        self.waiting.push_back((now, event));
    }

    /// Takes the oldest out.
    pub(super) fn pop(&mut self) -> Option<Written> {
        let (_, event) = self.waiting.pop_front()?;
        self.bytes -= event.body.len();
        Some(event)
    }

    /// Since when the oldest has waited, on the monotonic clock.
    pub(super) fn since(&self) -> Option<Duration> {
        self.waiting.front().map(|(since, _)| *since)
    }

    /// When the next body is to be made, on the monotonic clock; `None` while nothing waits.
    pub(super) fn due(&self, batching: &Batching) -> Option<Duration> {
        let (first, event) = self.waiting.front()?;
        let now = event.sequence <= self.urgent || self.waiting.len() >= batching.most;
        Some(if now { Duration::ZERO } else { first.saturating_add(batching.within) })
    }

    /// The events of the next body, which has so many bytes at most.
    pub(super) fn next<'a>(
        &'a self,
        batching: &'a Batching,
        bytes: usize,
    ) -> impl Iterator<Item = &'a Written> {
        let mut left = bytes.saturating_sub(Batching::FRAME);
        let events = self.waiting.iter().map(|(_, event)| event).take(batching.most);
        events.enumerate().map_while(move |(at, event)| {
            let rest = left.checked_sub(event.body.len() + 1);
            left = rest.unwrap_or(0);
            // One alone is never too long: its schema was checked.
            (at == 0 || rest.is_some()).then_some(event)
        })
    }
}

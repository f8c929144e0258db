//! A receiver that answers as it is told, and checks each attempt as it comes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use callhome::Clock;
use callhome::sink::{Hints, Parcel, SendError, Sink};
use serde_json::Value;

use super::ledger::Shown;
use super::steps::Answer;
use super::world::EVERY;
use callhome::testing::VirtualClock;

/// Clones share what they know.
#[derive(Clone)]
pub(crate) struct Receiver(Arc<Mutex<State>>);

pub(crate) struct State {
    clock: VirtualClock,
    pub(crate) standing: Answer,
    pub(crate) once: VecDeque<Answer>,
    /// All that an attempt was made at, by id.
    pub(crate) reports: BTreeMap<String, Known>,
    /// Those of them that nobody has looked at yet.
    pub(crate) fresh: Vec<String>,
    pub(crate) pace: Pace,
    /// The windows of which the process that runs was told that they are accepted, and refused.
    pub(crate) told: (u64, u64),
    /// What should not have happened. A panic would be caught by the aggregator.
    pub(crate) broken: Vec<String>,
}

/// A report that an attempt was made at.
pub(crate) struct Known {
    pub(crate) body: Vec<u8>,
    pub(crate) shown: Option<Shown>,
    pub(crate) sequence: u64,
    /// The windows that it is made of, oldest first.
    pub(crate) windows: Vec<String>,
    /// The lost windows that it tells of, by reason.
    pub(crate) tells: BTreeMap<String, u64>,
    /// Attempts by the process that runs.
    pub(crate) attempts: u32,
    /// The receiver has it.
    pub(crate) taken: bool,
    /// The process that runs was told so. The one before it may have been too late to hear it.
    pub(crate) accepted: bool,
    /// It was told that the receiver will never take it.
    pub(crate) refused: bool,
    /// The sender cannot know that the receiver does not have it.
    pub(crate) unsure: bool,
}

/// What the law of pacing goes by.
pub(crate) struct Pace {
    pub(crate) attempts: u32,
    /// The next attempt is asked for by somebody, and need not be due.
    pub(crate) urgent: bool,
    left: u32,
    failures: u32,
    failed: Option<Duration>,
    refusals: u32,
    refused: Duration,
    asked_until: Duration,
    /// The next beat of the reports.
    pub(crate) beat: Duration,
    /// No attempt may come before then.
    pub(crate) hold: Duration,
    /// Nor may one of what was sealed after the last acceptance.
    pub(crate) rest: Duration,
    accepted: Duration,
    /// An attempt has failed since.
    has_failed: bool,
}

impl Pace {
    pub(crate) fn new(attempts: u32) -> Pace {
        Pace {
            attempts,
            urgent: false,
            left: 0,
            failures: 0,
            failed: None,
            refusals: 0,
            refused: Duration::ZERO,
            asked_until: Duration::ZERO,
            beat: Duration::ZERO,
            hold: Duration::ZERO,
            rest: Duration::ZERO,
            accepted: Duration::ZERO,
            has_failed: false,
        }
    }

    pub(crate) fn sealed(&mut self) {
        self.left = if self.failures < self.attempts { self.attempts } else { 1 };
    }

    /// What is wrong with an attempt at this moment, if anything is.
    fn check(&mut self, now: Duration) -> Option<String> {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        const FLOOR: Duration = Duration::from_secs(10);
        if now < self.asked_until {
            return Some(format!("an attempt {:?} before Retry-After", self.asked_until - now));
        }
        if now < self.hold {
            return Some(format!("an attempt {:?} before the end of a pause", self.hold - now));
        }
        if std::mem::take(&mut self.urgent) {
            return None;
        }
        // What waited when the receiver asked goes on: at once, and later only if an attempt failed.
        if now < self.rest && now > self.accepted && !self.has_failed {
            return Some(format!("an attempt {:?} before its turn", self.rest - now));
        }
        if self.left == 0 {
            return Some(format!("more than {} attempts for a window", self.attempts));
        }
        if self.failed.is_some_and(|failed| now < failed + FLOOR) {
            return Some("two attempts in less than 10 s".into());
        }
        let probed = self.refusals >= 3 && now < self.refused + DAY;
        probed.then(|| "a receiver that refuses is probed more than once a day".into())
    }

    fn answered(&mut self, now: Duration, answer: Answer) {
        // Of a receiver that refused three in a row each answer but an acceptance is one more.
        let accepted = matches!(answer, Answer::Accept | Answer::Ask(_));
        if !accepted && (answer == Answer::Refuse || self.refusals >= 3) {
            self.refusals += 1;
            self.refused = now;
        }
        match answer {
            Answer::Accept | Answer::Ask(_) => {
                (self.failures, self.refusals, self.left) = (0, 0, self.attempts);
                self.failed = None;
                (self.accepted, self.has_failed) = (now, false);
                self.ask(now, if let Answer::Ask(hints) = answer { hints } else { Hints::new() });
            }
            Answer::Refuse => (self.failures, self.failed) = (0, None),
            _ => {
                self.failures += 1;
                self.has_failed = true;
                self.left = self.left.saturating_sub(1);
                self.failed = Some(now);
            }
        }
        if let Answer::Busy(wait) = answer {
            self.asked_until = now + wait.min(Duration::from_secs(24 * 60 * 60));
        }
    }
}

impl Pace {
    /// What the receiver asks for, where all beats come at their time.
    fn ask(&mut self, now: Duration, hints: Hints) {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let every = hints.every().unwrap_or_default();
        let turn = |every: Duration| {
            let beats = every.as_nanos().div_ceil(EVERY.as_nanos()).max(1) as u32;
            (self.beat + EVERY * (beats - 1)).min(now + Hints::LONGEST)
        };
        self.rest = if every > EVERY { turn(every) } else { now };
        let again = if hints.share() == Some(0.0) { turn(every.max(DAY)) } else { now };
        self.hold = again.max(now + hints.pause().unwrap_or_default());
    }
}

impl Known {
    fn read(body: &[u8]) -> Option<Known> {
        let report: Value = serde_json::from_slice(body).ok()?;
        let mut windows: Vec<String> = serde_json::from_value(report["merged"].clone()).ok()?;
        windows.push(report["report_id"].as_str()?.into());
        let tells = report["losses"].as_object()?.iter();
        let tells = tells.filter(|(reason, _)| reason.starts_with("reports_"));
        Some(Known {
            body: body.to_vec(),
            shown: Shown::read(&report),
            sequence: report["sequence"].as_u64()?,
            windows,
            tells: tells.map(|(reason, n)| (reason.clone(), n.as_u64().unwrap_or(0))).collect(),
            attempts: 0,
            taken: false,
            accepted: false,
            refused: false,
            unsure: false,
        })
    }
}

impl State {
    fn attempt(&mut self, parcel: &Parcel<'_>) -> Answer {
        let now = self.clock.now().monotonic;
        self.broken.extend(self.pace.check(now));
        let mut answer = self.once.pop_front().unwrap_or(self.standing);
        if !self.reports.contains_key(parcel.id()) {
            let Some(known) = Known::read(parcel.body()) else {
                self.broken.push(format!("{:?} cannot be read", parcel.body()));
                return answer;
            };
            if known.windows.last().is_none_or(|id| id != parcel.id()) {
                self.broken.push("the id of the parcel is not that of the report".into());
            }
            self.reports.insert(parcel.id().into(), known);
            self.fresh.push(parcel.id().into());
        }
        let Some(known) = self.reports.get_mut(parcel.id()) else { return answer };
        known.attempts += 1;
        if known.body != parcel.body() {
            self.broken.push("an attempt sends other bytes under the same id".into());
        }
        if known.attempts != parcel.attempt() {
            let (is, said) = (known.attempts, parcel.attempt());
            self.broken.push(format!("attempt {is} says it is attempt {said}"));
        }
        if known.accepted || known.refused {
            self.broken.push("a report that is settled is sent again".into());
        }
        if answer == Answer::Refuse && known.taken {
            answer = Answer::Accept;
        }
        match answer {
            Answer::Accept | Answer::Ask(_) => {
                (known.taken, known.accepted) = (true, true);
                self.told.0 += known.windows.len() as u64;
            }
            Answer::TakeInSilence => (known.taken, known.unsure) = (true, true),
            Answer::Swallow | Answer::Panic => known.unsure = true,
            Answer::Refuse => {
                known.refused = true;
                self.told.1 += known.windows.len() as u64;
            }
            Answer::Down | Answer::Busy(_) => {}
        }
        self.pace.answered(now, answer);
        answer
    }

    /// Another process runs, which knows what the last has left on disk, and no more.
    pub(crate) fn restart(&mut self) {
        self.pace = Pace::new(self.pace.attempts);
        self.told = (0, 0);
        for known in self.reports.values_mut() {
            (known.attempts, known.accepted, known.refused) = (0, false, false);
        }
    }
}

impl Receiver {
    pub(crate) fn new(clock: VirtualClock, attempts: u32) -> Receiver {
        Receiver(Arc::new(Mutex::new(State {
            clock,
            standing: Answer::Accept,
            once: VecDeque::new(),
            reports: BTreeMap::new(),
            fresh: Vec::new(),
            pace: Pace::new(attempts),
            told: (0, 0),
            broken: Vec::new(),
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Sink for Receiver {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let answer = self.state().attempt(parcel);
        Err(match answer {
            Answer::Accept => return Ok(()),
            Answer::Ask(hints) => {
                parcel.hint(hints);
                return Ok(());
            }
            Answer::Down => SendError::retry("down"),
            Answer::Swallow | Answer::TakeInSilence => {
                SendError::retry("silence").possibly_delivered()
            }
            // A panic that prints nothing.
            Answer::Panic => std::panic::resume_unwind(Box::new(())),
            Answer::Refuse => SendError::refused("never"),
            Answer::Busy(wait) => SendError::retry("busy").with_retry_after(wait),
        })
    }

    fn describe(&self) -> String {
        "the test's receiver".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

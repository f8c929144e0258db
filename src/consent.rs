//! What the switch says now: that may change while the program runs.

use parking_lot::Mutex;

use crate::error::Error;
use crate::guard::caught;
use crate::switch::{Decision, Mode, Reach, Switch};

/// The switch, and what it decided last.
pub(crate) struct Consent {
    reach: Reach,
    state: Mutex<(Switch, Decision)>,
}

impl Consent {
    /// Decides for the first time.
    pub(crate) fn new(switch: Switch, reach: Reach) -> Result<Consent, Error> {
        let decision = switch.decide(reach)?;
        let consent = Consent { reach, state: Mutex::new((switch, decision)) };
        consent.warn();
        Ok(consent)
    }

    /// The same switch, for reports that go as far as `reach`.
    pub(crate) fn of_another(&self, reach: Reach) -> Result<Consent, Error> {
        Ok(Consent { reach, state: Mutex::new(self.state_of(reach)?) })
    }

    /// Notes what the one that it was made of says by now.
    pub(crate) fn follow(&self, of: &Consent) -> Result<(), Error> {
        let now = of.state_of(self.reach)?;
        *self.state.lock() = now;
        Ok(())
    }

    /// What this one says where reports go as far as `reach`. A no that was noted stays one.
    fn state_of(&self, reach: Reach) -> Result<(Switch, Decision), Error> {
        let (switch, noted) = self.state.lock().clone();
        let now = switch.decide(self.reach).ok();
        let decision = match now.is_some_and(|now| now.mode() > noted.mode()) {
            true => noted,
            false => switch.decide(reach)?,
        };
        Ok((switch, decision))
    }

    /// What was decided last.
    pub(crate) fn decision(&self) -> Decision {
        self.state.lock().1.clone()
    }

    /// Whether anything is collected and reported, as decided last. Without a sink nothing leaves,
    /// and there is nothing to forbid.
    pub(crate) fn is_open(&self) -> bool {
        self.reach == Reach::Nowhere || self.state.lock().1.mode() != Mode::Off
    }

    /// Whether reports stay here, as decided last.
    pub(crate) fn is_local(&self) -> bool {
        self.state.lock().1.mode() == Mode::Local
    }

    /// Asks all sources again, as before every attempt. What they say may only be stricter now: a
    /// no stays until the application says otherwise.
    pub(crate) fn check(&self) -> bool {
        let mut state = self.state.lock();
        let said = state.0.decide(self.reach).ok();
        if let Some(stricter) = said.filter(|said| said.mode() < state.1.mode()) {
            state.1 = stricter;
        }
        drop(state);
        self.is_open()
    }

    /// Notes what the application says now, and decides anew. The caller [warns](Consent::warn).
    pub(crate) fn change(&self, change: impl FnOnce(&mut Switch)) -> Result<Decision, Error> {
        let mut state = self.state.lock();
        change(&mut state.0);
        state.1 = state.0.decide(self.reach)?;
        Ok(state.1.clone())
    }

    /// Logs what could not be understood, if that is what decided. Not under a lock: the logger may
    /// use the aggregator.
    pub(crate) fn warn(&self) {
        if let Some(warning) = self.decision().warning() {
            caught(|| log::warn!("{warning}"));
        }
    }
}

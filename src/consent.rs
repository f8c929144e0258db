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
        warn(&decision);
        Ok(Consent { reach, state: Mutex::new((switch, decision)) })
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

    /// Notes what the application says now, and decides anew.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Switch)) -> Result<Decision, Error> {
        let mut state = self.state.lock();
        change(&mut state.0);
        let decision = state.0.decide(self.reach)?;
        state.1 = decision.clone();
        // The logger may ask what was decided.
        drop(state);
        warn(&decision);
        Ok(decision)
    }
}

/// Says what could not be understood, if that is what decided.
fn warn(decision: &Decision) {
    if let Some(warning) = decision.warning() {
        caught(|| log::warn!("{warning}"));
    }
}

//! Reports kept in this process, for tests.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

use super::{Parcel, SendError, Sink};

/// Keeps the reports it accepts in memory, for tests. Clones share one store, so a test keeps one
/// and gives the other away.
///
/// It accepts everything until [`MemorySink::answer`] says otherwise. What it keeps is never
/// dropped, so it has no place in production.
///
/// ```
/// use callhome::sink::{MemorySink, Parcel, SendError, Sink};
/// use std::time::Duration;
///
/// let sink = MemorySink::new();
/// sink.answer(|parcel| match parcel.attempt() {
///     1 => Err(SendError::retry("the first attempt fails")),
///     _ => Ok(()),
/// });
///
/// let parcel = |attempt| Parcel::new("6ba7b810", attempt, b"{}", Duration::from_secs(1));
/// assert!(sink.send(&parcel(1)).is_err());
/// assert!(sink.send(&parcel(2)).is_ok());
/// assert_eq!(sink.attempts(), 2);
/// assert_eq!(sink.bodies(), [b"{}"]);
/// ```
#[derive(Clone, Default)]
pub struct MemorySink {
    state: Arc<Mutex<State>>,
}

/// The decision about one attempt.
type Answer = dyn Fn(&Parcel<'_>) -> Result<(), SendError> + Send + Sync;

/// What all clones of a sink share.
#[derive(Default)]
struct State {
    /// Accepted parcels in the order of their acceptance: id and body.
    accepted: Vec<(String, Vec<u8>)>,
    /// Calls of `send`, accepted or not.
    attempts: usize,
    /// How attempts are answered; `None` accepts all of them.
    answer: Option<Arc<Answer>>,
}

impl MemorySink {
    /// A sink that accepts everything.
    pub fn new() -> Self {
        MemorySink::default()
    }

    /// Decides from now on how each attempt is answered, for this sink and all its clones.
    ///
    /// The function runs on the sending thread and may look at the sink. It may also say what a
    /// receiver asks for ([`Parcel::hint`]).
    pub fn answer(
        &self,
        answer: impl Fn(&Parcel<'_>) -> Result<(), SendError> + Send + Sync + 'static,
    ) {
        self.state.lock().answer = Some(Arc::new(answer));
    }

    /// The bodies of the accepted reports, oldest first.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.state.lock().accepted.iter().map(|(_, body)| body.clone()).collect()
    }

    /// What the accepted reports say, oldest first; null for one that is no JSON.
    pub fn documents(&self) -> Vec<Value> {
        let parse =
            |(_, body): &(String, Vec<u8>)| serde_json::from_slice(body).unwrap_or_default();
        self.state.lock().accepted.iter().map(parse).collect()
    }

    /// The ids of the accepted reports, in the order of [`MemorySink::bodies`].
    pub fn ids(&self) -> Vec<String> {
        self.state.lock().accepted.iter().map(|(id, _)| id.clone()).collect()
    }

    /// How many attempts were made, the failed ones included.
    pub fn attempts(&self) -> usize {
        self.state.lock().attempts
    }
}

impl Sink for MemorySink {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        // The answer runs without the lock: it may look at the sink it belongs to.
        let answer = {
            let mut state = self.state.lock();
            state.attempts += 1;
            state.answer.clone()
        };
        if let Some(answer) = answer {
            answer(parcel)?;
        }
        self.state.lock().accepted.push((parcel.id().to_owned(), parcel.body().to_vec()));
        Ok(())
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn is_local(&self) -> bool {
        true
    }
}

impl fmt::Debug for MemorySink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("MemorySink")
            .field("accepted", &state.accepted.len())
            .field("attempts", &state.attempts)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn parcel<'a>(id: &'a str, attempt: u32, body: &'a [u8]) -> Parcel<'a> {
        Parcel::new(id, attempt, body, Duration::from_secs(1))
    }

    #[test]
    fn keeps_what_it_accepts_in_order_and_shares_it_with_its_clones() {
        let sink = MemorySink::new();
        let given_away = sink.clone();
        given_away.send(&parcel("a", 1, b"{\"n\":1}")).expect("accepted");
        given_away.send(&parcel("b", 1, b"{\"n\":2}")).expect("accepted");
        assert_eq!(sink.ids(), ["a", "b"]);
        assert_eq!(sink.bodies(), [b"{\"n\":1}", b"{\"n\":2}"]);
        assert_eq!(sink.documents(), [json!({"n": 1}), json!({"n": 2})]);
        assert_eq!(sink.attempts(), 2);
    }

    #[test]
    fn a_failed_attempt_is_counted_and_not_kept() {
        let sink = MemorySink::new();
        sink.answer(|_| Err(SendError::refused("no")));
        assert_eq!(sink.send(&parcel("a", 1, b"{}")), Err(SendError::refused("no")));
        assert_eq!(sink.attempts(), 1);
        assert!(sink.bodies().is_empty() && sink.ids().is_empty());
    }

    #[test]
    fn the_answer_may_look_at_the_sink_and_can_be_replaced() {
        let sink = MemorySink::new();
        let seen = sink.clone();
        sink.answer(move |_| match seen.attempts() {
            1 => Err(SendError::retry("down")),
            _ => Ok(()),
        });
        assert!(sink.send(&parcel("a", 1, b"{}")).is_err());
        assert!(sink.send(&parcel("a", 2, b"{}")).is_ok());
        // A clone held by the answer would keep the store alive for ever; replacing it ends that.
        sink.answer(|_| Ok(()));
        assert_eq!(sink.ids(), ["a"]);
    }
}

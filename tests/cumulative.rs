//! Counters that count since the start.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callhome::sink::{Parcel, SendError, Sink};
use callhome::{CallHome, Clock, Schema};
use metrics::{counter, with_local_recorder};
use proptest::prelude::*;
use serde_json::{Value, json};

mod support;
use callhome::testing::VirtualClock;

/// Takes reports while it is up.
#[derive(Clone, Default)]
struct Flaky(Arc<Mutex<(bool, Vec<Value>)>>);

impl Sink for Flaky {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let mut state = self.0.lock().unwrap();
        if state.0 {
            return Err(SendError::retry("down"));
        }
        state.1.push(serde_json::from_slice(parcel.body()).unwrap());
        Ok(())
    }

    fn describe(&self) -> String {
        "a test".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

fn schema() -> Schema {
    Schema::new("s")
        .started_at("since")
        .counter("total")
        .cumulative()
        .counter("window")
        .metric("total")
        .series("seen", |s| s.seen("kind").at_most(2))
        .cumulative()
}

#[derive(Clone, Debug)]
enum Step {
    Add { kind: u8, amount: u64 },
    Raise(u64),
    Look,
    Flush,
    Receiver(bool),
    OffAndOn,
    Advance(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4u8, prop_oneof![9 => 0..1000u64, 1 => Just(u64::MAX)])
            .prop_map(|(kind, amount)| Step::Add { kind, amount }),
        1 => (0..5000u64).prop_map(Step::Raise),
        1 => Just(Step::Look),
        3 => Just(Step::Flush),
        2 => any::<bool>().prop_map(Step::Receiver),
        1 => Just(Step::OffAndOn),
        2 => any::<u16>().prop_map(Step::Advance),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against sums made by hand. However many reports are lost or merged, the latest that arrives
    /// says all.
    #[test]
    fn the_latest_report_says_all(steps in prop::collection::vec(step(), 0..60)) {
        let (clock, receiver) = (VirtualClock::new(), Flaky::default());
        let builder = CallHome::builder(schema()).opt_out().clock(clock.clone());
        let callhome = builder.sink(receiver.clone()).max_attempts(1).build().unwrap();
        let (mut total, mut seen, mut told) = (0u128, [0u128; 3], Vec::new());
        // What the counter holds: `absolute` raises it, whatever was said of it before.
        let (mut held, mut since) = (0u128, clock.now().wall);
        for step in steps.into_iter().chain([Step::Receiver(false), Step::Flush]) {
            match step {
                Step::Add { kind, amount } => {
                    with_local_recorder(callhome.recorder(), || {
                        counter!("total").increment(amount);
                        counter!("seen", "kind" => kind.to_string()).increment(amount);
                    });
                    total += u128::from(amount);
                    held += u128::from(amount);
                    if !told.contains(&kind) && told.len() < 2 {
                        told.push(kind);
                    }
                    let at = told.iter().position(|other| *other == kind).unwrap_or(2);
                    seen[at] += u128::from(amount);
                }
                Step::Raise(to) => {
                    with_local_recorder(callhome.recorder(), || counter!("total").absolute(to));
                    let missing = u128::from(to).saturating_sub(held);
                    (total, held) = (total + missing, held + missing);
                }
                Step::Look => drop(callhome.preview()),
                Step::Flush => drop(callhome.flush()),
                Step::Receiver(up) => receiver.0.lock().unwrap().0 = !up,
                Step::OffAndOn => {
                    callhome.set_enabled(false).unwrap();
                    callhome.set_enabled(true).unwrap();
                    (total, seen, since) = (0, [0; 3], clock.now().wall);
                }
                Step::Advance(seconds) => clock.advance(Duration::from_secs(seconds.into())),
            }
        }
        // The last step says it anew when the receiver was down before.
        receiver.0.lock().unwrap().0 = false;
        callhome.flush().unwrap();
        let state = receiver.0.lock().unwrap();
        let report = &state.1.last().unwrap()["data"];
        let saturated = |count: u128| u64::try_from(count).unwrap_or(u64::MAX);
        prop_assert_eq!(&report["total"], saturated(total));
        let mut expected: Vec<Value> = Vec::new();
        for (at, sum) in seen.into_iter().enumerate().filter(|(_, sum)| *sum > 0) {
            let kind = if at == 2 { "__other__".to_owned() } else { told[at].to_string() };
            expected.push(json!({"kind": kind, "value": saturated(sum)}));
        }
        prop_assert_eq!(&report["seen"], &Value::Array(expected));
        let fact = CallHome::builder(Schema::new("s").fact("since", since)).build().unwrap();
        prop_assert_eq!(&report["since"], &fact.preview()["since"]);
    }
}

#[test]
fn windows_go_on_beside_it() {
    let receiver = Flaky::default();
    let builder = CallHome::builder(schema()).opt_out().sink(receiver.clone()).max_attempts(1);
    let callhome = builder.build().unwrap();
    let add =
        |amount| with_local_recorder(callhome.recorder(), || counter!("total").increment(amount));
    let both = |report: &Value| [report["total"].clone(), report["window"].clone()];
    add(5);
    assert_eq!(both(callhome.flush().unwrap().data()), [5, 5]);
    receiver.0.lock().unwrap().0 = true;
    add(10);
    assert!(callhome.flush().is_err());
    receiver.0.lock().unwrap().0 = false;
    add(100);
    assert_eq!(both(callhome.preview().data()), [115, 110], "two windows in one");
    assert_eq!(both(callhome.flush().unwrap().data()), [115, 110]);
    assert_eq!(both(callhome.flush().unwrap().data()), [115, 0]);
}

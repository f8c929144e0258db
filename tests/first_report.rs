//! The shape of a user's own test: no port, no sleep, no global.

use callhome::{CallHome, Schema};
use metrics::{counter, gauge, histogram};

fn schema() -> Schema {
    Schema::new("shop").section("usage", |s| {
        s.counter("orders")
            .gauge("queue")
            .summary("basket")
            .distinct("customers", "id")
            .gauge_summary("concurrent")
    })
}

#[test]
fn a_test_flushes_through_a_local_recorder() {
    let t = CallHome::builder(schema()).build().unwrap();
    metrics::with_local_recorder(t.recorder(), || {
        counter!("usage.orders").increment(3);
        gauge!("usage.queue").set(2.5);
        for value in [1.0, 2.0, 3.0, 4.0] {
            histogram!("usage.basket").record(value);
        }
        for id in ["a", "b", "a"] {
            counter!("usage.customers", "id" => id).increment(1);
        }
        gauge!("usage.concurrent").increment(3);
        gauge!("usage.concurrent").decrement(2);
    });
    let report = t.flush().unwrap();
    assert_eq!(report["usage"]["orders"], 3);
    assert_eq!(report["usage"]["queue"], 2.5);
    assert_eq!(report["usage"]["customers"], 2);
    assert_eq!(report["usage"]["basket"]["median"], 2.5);
    assert_eq!(report["usage"]["concurrent"]["max"], 3);
    println!("{report}");

    let next = t.flush().unwrap();
    assert_eq!(next["usage"]["orders"], 0, "a window begins with its seal");
    assert_eq!(next["usage"]["queue"], 2.5, "a gauge keeps its value");
    assert_eq!(next["usage"]["customers"], 0);
    assert_eq!(next["usage"]["basket"]["mode"], serde_json::Value::Null);
    assert_eq!(next["usage"]["concurrent"]["max"], 1);
    println!("{next}");
}

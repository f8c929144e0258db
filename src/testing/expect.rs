//! `assert_report!`: what a report says at some paths.

use std::cmp::Ordering;

use serde::Serialize;
use serde_json::Value;

use super::path::find;

/// Fails the test unless a report, or another [`Document`](crate::testing::Document), says this at
/// these paths.
///
/// A line is a path, a comparison and a value. A path is parted by points; `[label=value]` finds an
/// element of a series, and a number one of any list. Comparisons are `==`, `!=`, `<`, `<=`, `>` and
/// `>=`. Numbers are compared by their values, whether they are written as integers or not; only
/// numbers are less or more than others. A value is anything that can be serialised: a number, a
/// text, a flag, a `serde_json::Value`, `()` for null. `absent` instead of both says that nothing is
/// at the path, not even null.
///
/// ```
/// use callhome::{CallHome, Schema, assert_report};
///
/// let schema = Schema::new("shop")
///     .section("usage", |s| s.counter("orders").summary("basket_value").gauge("stock"))
///     .series("responses", |s| s.values("status", ["ok", "failed"]));
/// let t = CallHome::builder(schema).build()?;
/// metrics::with_local_recorder(t.recorder(), || {
///     metrics::counter!("usage.orders").increment(3);
///     metrics::histogram!("usage.basket_value").record(19.5);
///     metrics::counter!("responses", "status" => "ok").increment(2);
/// });
/// assert_report!(t.flush()?,
///     "usage.orders" == 3,
///     "usage.basket_value.max" <= 20,
///     "usage.basket_value.mean" == 19.5,
///     "usage.stock" == (),
///     "responses[status=ok].value" == 2,
///     "customers" absent,
/// );
/// # Ok::<(), callhome::Error>(())
/// ```
#[macro_export]
macro_rules! assert_report {
    (@lines $report:ident) => {};
    (@lines $report:ident $path:literal absent $(, $($rest:tt)*)?) => {
        $crate::testing::__expect_absent(&$report, $path);
        $($crate::assert_report!(@lines $report $($rest)*);)?
    };
    (@lines $report:ident $path:literal $comparison:tt $value:expr $(, $($rest:tt)*)?) => {
        $crate::testing::__expect(&$report, $path, stringify!($comparison), &$value);
        $($crate::assert_report!(@lines $report $($rest)*);)?
    };
    ($report:expr, $($lines:tt)+) => {{
        let report = &$report;
        let report = $crate::testing::Document::document(report);
        $crate::assert_report!(@lines report $($lines)+);
    }};
}

/// One line of the macro.
///
/// # Panics
///
/// If it does not hold.
#[doc(hidden)]
#[track_caller]
pub fn expect(report: &Value, path: &str, comparison: &str, value: &impl Serialize) {
    let wanted = serde_json::to_value(value).expect("the value can be serialised");
    let found = found(report, path);
    let order = order(found, &wanted);
    let holds = match comparison {
        "==" => order == Some(Ordering::Equal),
        "!=" => order != Some(Ordering::Equal),
        "<" => order == Some(Ordering::Less),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)) && wanted.is_number(),
        ">" => order == Some(Ordering::Greater),
        ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)) && wanted.is_number(),
        other => panic!("`{other}` is no comparison; there are == != < <= > >= and `absent`"),
    };
    assert!(holds, "`{path}` is {found}, and should be {comparison} {wanted}");
}

/// A line that ends with `absent`.
///
/// # Panics
///
/// If there is something.
#[doc(hidden)]
#[track_caller]
pub fn expect_absent(report: &Value, path: &str) {
    if let Some(found) = find(report, path) {
        panic!("`{path}` is {found}, and should not be there");
    }
}

/// What is at a path.
#[track_caller]
fn found<'a>(report: &'a Value, path: &str) -> &'a Value {
    find(report, path).unwrap_or_else(|| {
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let near = find(report, parent).unwrap_or(report);
        panic!("nothing is at `{path}`; near it is {near:#}")
    })
}

/// How two values compare: numbers by their values, also within lists and objects; others are equal
/// or not.
fn order(found: &Value, wanted: &Value) -> Option<Ordering> {
    let equal = |is: bool| is.then_some(Ordering::Equal);
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => {
            match (found.as_i128(), wanted.as_i128()) {
                (Some(found), Some(wanted)) => Some(found.cmp(&wanted)),
                _ => found.as_f64()?.partial_cmp(&wanted.as_f64()?),
            }
        }
        (Value::Array(found), Value::Array(wanted)) => equal(
            found.len() == wanted.len()
                && found.iter().zip(wanted).all(|(f, w)| order(f, w) == Some(Ordering::Equal)),
        ),
        (Value::Object(found), Value::Object(wanted)) => equal(
            found.len() == wanted.len()
                && found.iter().all(|(name, f)| {
                    wanted.get(name).is_some_and(|w| order(f, w) == Some(Ordering::Equal))
                }),
        ),
        _ => equal(found == wanted),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use serde_json::json;

    use super::*;

    fn holds(comparison: &'static str, found: Value, wanted: impl Serialize) -> bool {
        let wanted = serde_json::to_value(wanted).unwrap();
        catch_unwind(move || expect(&json!({ "x": found }), "x", comparison, &wanted)).is_ok()
    }

    #[test]
    fn numbers_are_compared_by_their_values() {
        assert!(holds("==", json!(3), 3.0) && holds("==", json!(3.0), 3_u8));
        assert!(holds("==", json!({"a": [1, 2.0]}), json!({"a": [1.0, 2]})));
        assert!(!holds("==", json!({"a": 1, "b": 2}), json!({"a": 1})));
        assert!(!holds("==", json!([1, 2]), json!([1])) && !holds("==", json!([1]), json!([2])));
        assert!(holds("!=", json!(3), 4) && !holds("!=", json!(3), 3.0));
        // Not by the nearest float, where there are integers.
        assert!(!holds("==", json!(u64::MAX), u64::MAX - 1) && holds(">", json!(u64::MAX), -1));
        for (comparison, less, same, more) in [
            ("<", true, false, false),
            ("<=", true, true, false),
            (">", false, false, true),
            (">=", false, true, true),
        ] {
            let held = [1.5, 2.0, 2.5].map(|found| holds(comparison, json!(found), 2));
            assert_eq!(held, [less, same, more], "{comparison}");
        }
    }

    #[test]
    fn what_is_no_number_is_equal_or_not() {
        assert!(holds("==", json!("a"), "a") && holds("==", json!(null), ()));
        assert!(holds("==", json!(true), true) && !holds("==", json!("3"), 3));
        assert!(!holds("==", json!(0), false) && holds("!=", json!(null), 0));
        for comparison in ["<", "<=", ">", ">=", "="] {
            assert!(!holds(comparison, json!("a"), "a"), "{comparison}");
        }
    }
}

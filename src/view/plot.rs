//! A summary as a small range plot.

use serde_json::Value;

use super::html::Safe;

/// The width of the axis, and the margin at its ends, in CSS pixels.
const WIDTH: f64 = 180.0;
const MARGIN: f64 = 6.0;

/// A plot of a value that has the figures of a summary; none for other values.
///
/// The axis goes from 0, or from `min` if that is less, to `max`. The bar is from `min` to `max`,
/// the line across it the median, the dot the mean, the ring the mode.
pub(super) fn plot(value: &Value) -> Option<String> {
    let figure = |name: &str| value.get(name)?.as_f64();
    let [min, median, mean, max] = ["min", "median", "mean", "max"].map(figure);
    let (min, median, mean, max) = (min?, median?, mean?, max?);
    let (from, to) = (min.min(0.0), max.max(0.0));
    // Halves, for the difference of two floats may be no float.
    let length = to / 2.0 - from / 2.0;
    let at = |value: f64| {
        let share = if length > 0.0 { (value / 2.0 - from / 2.0) / length } else { 0.0 };
        MARGIN + share.clamp(0.0, 1.0) * WIDTH
    };
    let mode = figure("mode").map_or(String::new(), |mode| {
        format!(r#"<circle class="mode" cx="{:.1}" cy="9" r="4.5"/>"#, at(mode))
    });
    let words = ["min", "median", "mean", "mode", "max"].map(|name| match &value[name] {
        Value::Null => format!("no {name}"),
        figure => format!("{name} {figure}"),
    });
    let words = Safe(words.join(", "));
    let (x1, x2, median, mean) = (at(min), at(max), at(median), at(mean));
    let (end, whole) = (MARGIN + WIDTH, MARGIN * 2.0 + WIDTH);
    Some(format!(
        r#"<svg role="img" aria-label="{words}" width="{whole}" height="18" viewBox="0 0 {whole} 18"><title>{words}</title><line class="axis" x1="{MARGIN}" y1="9" x2="{end}" y2="9"/><line class="range" x1="{x1:.1}" y1="9" x2="{x2:.1}" y2="9"/><line class="median" x1="{median:.1}" y1="3" x2="{median:.1}" y2="15"/><circle class="mean" cx="{mean:.1}" cy="9" r="3.2"/>{mode}</svg>"#
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_lie_where_they_are_on_the_axis() {
        let value = json!({"max": 100, "mean": 50.0, "median": 25, "min": 0, "mode": null});
        let svg = plot(&value).unwrap();
        assert!(svg.contains(r#"class="range" x1="6.0" y1="9" x2="186.0""#), "{svg}");
        assert!(svg.contains(r#"class="mean" cx="96.0""#), "{svg}");
        assert!(svg.contains(r#"class="median" x1="51.0""#), "{svg}");
        assert!(svg.contains("no mode") && !svg.contains(r#"class="mode""#), "{svg}");

        let below = json!({"max": -50, "mean": -75.0, "median": -75, "min": -100, "mode": -100});
        let svg = plot(&below).unwrap();
        assert!(svg.contains(r#"class="range" x1="6.0" y1="9" x2="96.0""#), "{svg}");
        assert!(svg.contains(r#"class="mode" cx="6.0""#), "{svg}");

        let zero = json!({"max": 0, "mean": 0.0, "median": 0, "min": 0, "mode": 0});
        assert!(plot(&zero).unwrap().contains(r#"class="range" x1="6.0" y1="9" x2="6.0""#));
        let huge = json!({"max": f64::MAX, "mean": 0.0, "median": 0, "min": f64::MIN, "mode": 0});
        assert!(plot(&huge).unwrap().contains(r#"class="mean" cx="96.0""#));
        for other in [json!(null), json!(7), json!({"family": "unix"}), json!({"max": "1"})] {
            assert_eq!(plot(&other), None);
        }
    }
}

//! How the reports of a fleet arrive when it is deployed at once, when its receiver is back, and when
//! all have waited for the same date.

use std::error::Error;
use std::ops::Range;

use super::fleet::{Figures, Fleet};
use super::svg::{Axis, Line, Part, Plot, Scale};

const HOUR: u64 = 60 * 60;
/// What the reports are drawn by.
const MINUTES: u64 = 5;
/// The default interval, and what happens, in hours.
const EVERY: u64 = 4;
const OUTAGE: Range<u64> = 8..16;
const PAUSE: Range<u64> = 24..32;
const END: u64 = 40;

pub(crate) fn plot(instances: u64) -> Result<String, Box<dyn Error>> {
    let seconds = |hours: Range<u64>| hours.start * HOUR..hours.end * HOUR;
    let fleet = Fleet {
        outage: seconds(OUTAGE),
        pause: seconds(PAUSE),
        ..Fleet::new(instances, EVERY * HOUR, END / EVERY)
    };
    let (arrivals, mean) = (fleet.run(), fleet.mean());
    let line = |name: &str, seconds: &[u64], colour| {
        let width = (MINUTES * 60) as usize;
        let bins =
            seconds[..(END * HOUR) as usize].chunks(width).map(|bin| bin.iter().sum::<u64>());
        let points = bins.enumerate().map(|(at, sum)| {
            let hour = (at as f64 + 0.5) * MINUTES as f64 / 60.0;
            (hour, sum as f64 / MINUTES as f64)
        });
        Line { name: name.to_owned(), points: points.collect(), colour, is_dashed: false }
    };
    let outage = OUTAGE.start as f64..OUTAGE.end as f64;
    let down = line("", &arrivals.down, 1).points;
    let down = down.into_iter().filter(|(hour, _)| outage.contains(hour)).collect();
    // A fleet of any size looks the same.
    let (unit, step) = (mean * 60.0, instances as f64 / 200.0);
    let marks = (0..=4).map(|times| (f64::from(times) * step, grouped(f64::from(times) * step)));
    let peak = |hours: Range<u64>| {
        let part = seconds(hours);
        let from = part.start.max(fleet.begin());
        let figures = Figures::of(&arrivals.up[from as usize..part.end as usize]);
        let minute = figures.minute / mean;
        (format!("minute {minute:.2}"), format!("second {:.2}", figures.peak as f64 / mean))
    };
    let part = |hours: Range<u64>, words: &str, has_peak: bool| {
        let mut words: Vec<String> = words.split('/').map(str::to_owned).collect();
        if has_peak {
            let (minute, second) = peak(hours.clone());
            words.extend([String::from("peak / mean:"), minute, second]);
        }
        Part { from: hours.start as f64, to: hours.end as f64, words }
    };
    let title = format!(
        "Arrivals at the receiver of {} installations that are deployed at once, while it is down \
         and back, and while all wait for a date and after it",
        grouped(instances as f64)
    );
    let plot = Plot {
        title: &title,
        x: Axis {
            name: "hours since all were started within one minute",
            scale: Scale::Linear,
            from: 0.0,
            to: END as f64,
            marks: (0..=END).step_by(4).map(|hour| (hour as f64, hour.to_string())).collect(),
        },
        y: Axis {
            name: "arrivals in a minute",
            scale: Scale::Linear,
            from: 0.0,
            to: 5.0 * unit,
            marks: marks.collect(),
        },
        lines: vec![
            Line {
                name: format!(
                    "the mean: {}/installations, every 4 hours",
                    grouped(instances as f64)
                ),
                points: vec![(0.0, unit), (END as f64, unit)],
                colour: 4,
                is_dashed: true,
            },
            Line { points: down, ..line("not accepted", &arrivals.down, 1) },
            line("accepted", &arrivals.up, 0),
        ],
        parts: vec![
            part(0..OUTAGE.start, "deployed", true),
            part(OUTAGE, "down", false),
            part(OUTAGE.end..PAUSE.start, "back", true),
            part(PAUSE, "asked to wait/until hour 32", false),
            part(PAUSE.end..END, "after the date", true),
        ],
    };
    Ok(plot.svg()?)
}

/// A whole number with commas.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! What is on the page, in which order.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use super::html::Safe;
use super::plot::plot;
use super::style::STYLE;
use crate::callhome::CallHome;
use crate::clock::span;
use crate::delivery::Outcome;
use crate::report::Report;
use crate::schema::{Item, Plan};
use crate::status::Status;
use crate::switch::Mode;

/// One HTML page for the operator: what the switch decided and by which rule, when the next report
/// is due, what it would say now (summaries as small range plots), what was sent last, byte for
/// byte, what waits, what the receiver asks for, and what was lost by reason.
///
/// It is whole: it asks for nothing else, runs no script, and is readable in light and in dark. All
/// names and values are escaped. Where the switch says off nothing is asked of the schema's
/// functions and no report is shown, for there is none; else it is as good as a
/// [`preview`](CallHome::preview) and a [`status`](CallHome::status), and like them changes nothing.
/// Of [events](crate::Builder::event) there is no next one to show.
///
/// It shows ids and whatever facts the schema has: mount it where operators look, not on a public
/// port.
///
/// ```
/// use callhome::{CallHome, Schema, sink::MemorySink};
///
/// let schema = Schema::new("shop").section("usage", |s| s.counter("orders"));
/// let callhome = CallHome::builder(schema).sink(MemorySink::new()).opt_out().build()?;
/// let page = callhome::view::html(&callhome);
/// assert!(page.starts_with("<!doctype html>"));
/// # Ok::<(), callhome::Error>(())
/// ```
pub fn html(callhome: &CallHome) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut page, callhome);
    page
}

fn write(page: &mut String, callhome: &CallHome) -> std::fmt::Result {
    let (plan, status) = (callhome.plan(), callhome.status());
    let mode = status.switch().mode();
    let name = Safe(&plan.name);
    let head = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\">\n";
    write!(page, "{head}<title>Telemetry of {name}</title>\n<style>{STYLE}</style>\n</head>\n")?;
    write!(page, "<body>\n<main>\n<h1>Telemetry of {name}</h1>\n")?;
    let class = if mode == Mode::Off { "decision" } else { "decision on" };
    writeln!(page, "<p class=\"{class}\">{}</p>", Safe(status.switch()))?;
    writeln!(
        page,
        "<p>{}</p>",
        match mode {
            Mode::Off => "Nothing is collected and nothing is sent.",
            Mode::Local => "Reports are made and written on this machine. None is sent.",
            Mode::On => "Reports are sent.",
        }
    )?;
    state(page, &status)?;
    if mode != Mode::Off && plan.leaves.is_empty() {
        page.push_str("<p>These reports are events: each is sent when something happens.</p>\n");
    } else if mode != Mode::Off {
        let next = callhome.preview();
        page.push_str("<h2>The next report, if it were made now</h2>\n");
        page.push_str(
            "<p class=\"soft\">Of a summary the bar goes from min to max, on an axis from 0 or \
             below; the line is the median, the dot the mean, the ring the mode.</p>\n",
        );
        section(page, plan, &plan.items, "", next.data())?;
        page.push_str("<h2>The same, as it would be sent</h2>\n");
        body(page, &next)?;
    }
    page.push_str("<h2>The last report, byte for byte</h2>\n");
    match status.last_report() {
        None => page.push_str("<p>No report was accepted yet.</p>\n"),
        Some(report) => {
            let (number, length) = (report.sequence(), report.body().len());
            let id = Safe(report.id());
            writeln!(page, "<p>Number {number}, {length} bytes, <code>{id}</code>.</p>")?;
            body(page, report)?;
        }
    }
    page.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn body(page: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(page, "<pre>{}</pre>", Safe(report.body()))
}

/// When what is due, what was delivered, and what was lost.
fn state(page: &mut String, status: &Status) -> std::fmt::Result {
    let due = |time: Option<Duration>| time.map_or("none is due".to_owned(), from_now);
    let mut rows = vec![
        ("next report", due(status.next_report())),
        ("next attempt", due(status.next_attempt())),
        ("reports accepted", status.accepted().to_string()),
        ("reports waiting", status.pending().to_string()),
        ("attempts", status.attempts().to_string()),
    ];
    rows.extend(status.asked().map(|asked| ("the receiver asks for less", asked)));
    if let Some(outcome) = status.last_outcome() {
        let what = match outcome {
            Outcome::Accepted => "accepted",
            Outcome::Failed => "failed, to be tried again",
            Outcome::Refused => "refused for good",
        };
        let why = status.last_error().map(|error| format!(": {error}")).unwrap_or_default();
        rows.push(("last attempt", format!("{what}{why}")));
    }
    rows.push(("reports lost", status.lost().to_string()));
    page.push_str("<h2>State</h2>\n<table>\n");
    for (name, value) in rows {
        row(page, name, None, &Safe(value).to_string())?;
    }
    for (reason, count) in status.losses() {
        row(page, reason, None, &count.to_string())?;
    }
    page.push_str("</table>\n");
    Ok(())
}

/// A table of the fields of a section, and those of the sections in it.
fn section(
    page: &mut String,
    plan: &Plan,
    items: &[Item],
    path: &str,
    values: &Value,
) -> std::fmt::Result {
    if !path.is_empty() {
        writeln!(page, "<h3>{}</h3>", Safe(path))?;
    }
    if let Some(about) = plan.sections.get(path) {
        writeln!(page, "<p>{}</p>", Safe(about))?;
    }
    page.push_str("<div class=\"wide\"><table>\n");
    for item in items {
        let Item::Leaf(index) = item else { continue };
        let Some(leaf) = plan.leaves.get(*index) else { continue };
        let field = &leaf.field;
        let value = &values[&field.name];
        let unit = field.unit.as_deref().unwrap_or_default();
        let mut cell = match value {
            Value::String(text) => Safe(text).to_string(),
            Value::Null => "<span class=\"soft\">null</span>".to_owned(),
            value => Safe(value).to_string(),
        };
        if let Some(plot) = plot(value) {
            let figures = value.as_object().into_iter().flatten();
            let figures: Vec<String> =
                figures.map(|(name, figure)| format!("{name} {figure}")).collect();
            cell = format!("{plot}{}", Safe(figures.join(", ")));
        }
        if !unit.is_empty() {
            let _ = write!(cell, " <span class=\"soft\">{}</span>", Safe(unit));
        }
        row(page, &field.name, field.description.as_deref(), &cell)?;
    }
    page.push_str("</table></div>\n");
    for item in items {
        if let Item::Section(name, items) = item {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            section(page, plan, items, &path, &values[name])?;
        }
    }
    Ok(())
}

/// A row; `value` is HTML.
fn row(page: &mut String, name: &str, about: Option<&str>, value: &str) -> std::fmt::Result {
    write!(page, "<tr><th scope=\"row\">{}</th>", Safe(name))?;
    write!(page, "<td class=\"value\">{value}</td>")?;
    writeln!(page, "<td class=\"soft\">{}</td></tr>", Safe(about.unwrap_or_default()))
}

/// `in 3 h 59 min`.
fn from_now(time: Duration) -> String {
    match time.as_secs() {
        0 => "now".to_owned(),
        _ => format!("in {}", span(time)),
    }
}

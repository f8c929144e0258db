//! What the questions must answer, found without SQL: from what was recorded and what arrived.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::installation::{ERRORS, Process, Recorded};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const REFUSED: &str = "refused_values";

/// A report that counts.
struct Row {
    version: &'static str,
    /// The numbers of its windows.
    windows: std::ops::RangeInclusive<usize>,
    /// In microseconds since 1970.
    begin: i64,
    end: i64,
    /// What it says was lost, by reason.
    losses: BTreeMap<String, u64>,
}

#[derive(Default)]
pub(crate) struct Truth {
    days: BTreeMap<i64, u64>,
    weeks: BTreeMap<i64, u64>,
    adopted: BTreeMap<(i64, &'static str), u64>,
    /// For each version, when each installation reported it first.
    first: BTreeMap<&'static str, Vec<i64>>,
    retained: BTreeMap<(i64, i64), u64>,
    rows: BTreeMap<&'static str, BTreeMap<u64, u64>>,
    requests: BTreeMap<i64, f64>,
    all: Recorded,
    installations: u64,
    /// Installations that used each of the features.
    users: [u64; 3],
    /// By installation, and all added up by week.
    clients: BTreeMap<u64, u64>,
    weekly_clients: BTreeMap<i64, u64>,
    reports: u64,
    windows: u64,
    missing: u64,
    losses: BTreeMap<String, u64>,
}

impl Truth {
    /// Takes an installation in.
    pub(crate) fn add(&mut self, processes: &[Process]) {
        let mut rows = Vec::new();
        let mut used = [false; 3];
        let mut clients: BTreeMap<i64, BTreeSet<u64>> = BTreeMap::new();
        for process in processes {
            let own = current(process);
            let covered: BTreeSet<usize> = own.iter().flat_map(|row| row.windows.clone()).collect();
            if let (Some(first), Some(last)) = (covered.first(), covered.last()) {
                self.missing += (last - first + 1 - covered.len()) as u64;
            }
            self.windows += covered.len() as u64;
            for row in &own {
                let recorded = row.windows.clone().map(|number| &process.windows[number - 1]);
                let (mut requests, mut refused) = (0, 0);
                for window in recorded {
                    requests += window.requests;
                    refused += window.refused;
                    self.take(process.version, window);
                    used[0] |= window.exports > 0;
                    used[1] |= window.imports > 0;
                    clients.entry(week(row.end)).or_default().extend(&window.clients);
                }
                self.share(row, requests);
                self.lose(row, refused);
            }
            rows.extend(own);
        }
        for (week, clients) in &clients {
            *self.weekly_clients.entry(*week).or_default() += clients.len() as u64;
        }
        let clients: BTreeSet<&u64> = clients.values().flatten().collect();
        if let (Some(process), false) = (processes.first(), clients.is_empty()) {
            self.clients.insert(process.of, clients.len() as u64);
        }
        self.reports += rows.len() as u64;
        if rows.is_empty() {
            return;
        }
        self.installations += 1;
        self.users.iter_mut().zip(used).for_each(|(users, used)| *users += u64::from(used));
        self.active(&rows);
    }

    fn take(&mut self, version: &'static str, window: &Recorded) {
        self.all.requests += window.requests;
        self.all.errors.iter_mut().zip(window.errors).for_each(|(all, one)| *all += one);
        let rows = self.rows.entry(version).or_default();
        window.rows.iter().for_each(|(value, times)| *rows.entry(*value).or_default() += times);
    }

    /// Gives each day its share of a report's requests, by time.
    fn share(&mut self, row: &Row, requests: u64) {
        let length = row.end - row.begin;
        for day in row.begin.div_euclid(DAY)..=row.end.div_euclid(DAY) {
            let overlap = row.end.min((day + 1) * DAY) - row.begin.max(day * DAY);
            let share = match length {
                1.. => overlap as f64 / length as f64,
                _ => 1.0, // it begins and ends at one instant
            };
            *self.requests.entry(day).or_default() += requests as f64 * share;
        }
    }

    /// Windows that were lost are taken from what the report says, for only that can be known of it;
    /// refused samples from what was recorded.
    fn lose(&mut self, row: &Row, refused: u64) {
        let windows = row.losses.iter().filter(|(reason, _)| *reason != REFUSED);
        let windows = windows.map(|(reason, lost)| (reason.clone(), *lost));
        for (reason, lost) in windows.chain([(REFUSED.to_owned(), refused)]) {
            *self.losses.entry(reason).or_default() += lost;
        }
    }

    fn active(&mut self, rows: &[Row]) {
        let days: BTreeSet<i64> = rows.iter().map(|row| row.end.div_euclid(DAY)).collect();
        let weeks: BTreeSet<i64> = rows.iter().map(|row| week(row.end)).collect();
        days.iter().for_each(|day| *self.days.entry(*day).or_default() += 1);
        for week in &weeks {
            *self.weeks.entry(*week).or_default() += 1;
            let since = (week - weeks.first().unwrap_or(week)) / 7;
            *self.retained.entry((*week - since * 7, since)).or_default() += 1;
            let own = rows.iter().filter(|row| self::week(row.end) == *week);
            if let Some(last) = own.max_by_key(|row| row.end) {
                *self.adopted.entry((*week, last.version)).or_default() += 1;
            }
        }
        let versions: BTreeSet<&str> = rows.iter().map(|row| row.version).collect();
        for version in versions {
            let own = rows.iter().filter(|row| row.version == version);
            self.first.entry(version).or_default().extend(own.map(|row| row.end).min());
        }
    }

    /// By question, the rows of the answer.
    pub(crate) fn answers(mut self) -> Value {
        let mut latency = Vec::new();
        for (version, times) in &mut self.first {
            times.sort_unstable();
            let first = times[0];
            // The lower one of two in the middle.
            let median = times[times.len().div_ceil(2) - 1];
            latency.push(json!([version, times.len(), (median - first) / 1_000_000]));
        }
        let mut quantiles = Vec::new();
        for (version, values) in &self.rows {
            let total: u64 = values.values().sum();
            for percent in [50, 90, 99] {
                let mut upto = 0;
                let at = values.iter().find(|(_, times)| {
                    upto += **times;
                    upto * 100 >= total * percent
                });
                quantiles.extend(at.map(|(value, _)| json!([version, percent, value])));
            }
        }
        let errors = ERRORS
            .iter()
            .zip(self.all.errors)
            .map(|(kind, errors)| json!([kind, errors as f64 * 1000.0 / self.all.requests as f64]));
        let users =
            ["exports", "imports", "replays"].iter().zip(self.users).map(|(name, users)| {
                let without = self.installations - users;
                json!([name, without, without as f64 / self.installations as f64])
            });
        let days = |days: &BTreeMap<i64, u64>| -> Vec<Value> {
            days.iter().map(|(day, count)| json!([date(*day), count])).collect()
        };
        let adopted = self.adopted.iter();
        let retained = self.retained.iter();
        let requests = self.requests.iter();
        let losses = self.losses.iter().filter(|(_, lost)| **lost > 0);
        let losses = losses.map(|(reason, lost)| {
            json!([reason, lost, *lost as f64 * 1000.0 / self.windows as f64])
        });
        json!({
            "active_per_day": days(&self.days),
            "active_per_week": days(&self.weeks),
            "adoption": adopted.map(|((week, version), n)| json!([date(*week), version, n])).collect::<Vec<_>>(),
            "upgrade_latency": latency,
            "retention": retained.map(|((week, since), n)| json!([date(*week), since, n])).collect::<Vec<_>>(),
            "quantiles": quantiles,
            "requests_per_day": requests.map(|(day, n)| json!([date(*day), n])).collect::<Vec<_>>(),
            "errors": errors.collect::<Vec<_>>(),
            "distinct_clients": self.clients.iter().map(|(of, n)| json!([format!("installation {of}"), n])).collect::<Vec<_>>(),
            "distinct_clients_per_week": days(&self.weekly_clients),
            "dead_features": users.collect::<Vec<_>>(),
            "losses": losses.collect::<Vec<_>>(),
            "gaps": [json!([self.reports, self.windows, self.missing])],
        })
    }
}

/// The Monday of the week of an instant, as a day since 1970, which began on a Thursday.
fn week(micros: i64) -> i64 {
    let day = micros.div_euclid(DAY);
    day - (day + 3).rem_euclid(7)
}

fn date(day: i64) -> String {
    let time = Timestamp::from_microsecond(day * DAY).expect("a day of our times");
    time.strftime("%Y-%m-%d").to_string()
}

/// The reports that count: each once, without those that are part of a later one.
fn current(process: &Process) -> Vec<Row> {
    let bodies = process.arrived.iter().filter_map(|body| serde_json::from_str(body).ok());
    let bodies: Vec<Value> = bodies.collect();
    let id = |body: &Value| body["report_id"].to_string();
    let parts = bodies.iter().flat_map(|body| body["merged"].as_array().cloned());
    let parts: HashSet<String> = parts.flatten().map(|part| part.to_string()).collect();
    let each: BTreeMap<String, &Value> = bodies.iter().map(|body| (id(body), body)).collect();
    let whole = each.into_iter().filter(|(id, _)| !parts.contains(id));
    let time = |value: &Value| {
        let time: Timestamp = value.as_str().unwrap_or_default().parse().expect("a time");
        time.as_microsecond()
    };
    let row = |(_, body): (String, &Value)| {
        let last = body["sequence"].as_u64().expect("a number") as usize;
        let merged = body["merged"].as_array().map_or(0, Vec::len);
        Row {
            version: process.version,
            windows: last - merged..=last,
            begin: time(&body["window_start"]),
            end: time(&body["window_end"]),
            losses: serde_json::from_value(body["losses"].clone()).expect("counts"),
        }
    };
    let mut rows: Vec<Row> = whole.map(row).collect();
    rows.sort_by_key(|row| row.begin); // the ids are random
    rows
}

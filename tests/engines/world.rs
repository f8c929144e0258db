//! A fleet whose reports come twice, late, out of order, merged or not at all; and what it recorded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callhome::sink::{Parcel, SendError, Sink};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, Fact, Figure, Schema, Series};
use metrics::{counter, gauge, histogram};
use serde_json::Value;

use super::Answers;

const INSTALLATIONS: usize = 250;
const WINDOWS: usize = 44;
const VERSIONS: [&str; 2] = ["1.0", "1.1"];

/// A sequence of numbers, the same in each run.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

pub(crate) fn schema(version: &'static str) -> Schema {
    let edition = |version: &str| if version == "1.0" { "free" } else { "paid" };
    Schema::new("shop")
        .version(2)
        .fact("version", version)
        .fact("edition", Fact::text(edition(version)))
        .describe("What was bought; it's \"free\" or 'paid'")
        .section("environment", |s| {
            s.instance_id("process")
                .cluster_id("cluster")
                .cluster_id_source("cluster_source")
                .os("os")
                .cores("cores")
                .ram("ram")
                .uptime("uptime")
                .started_at("since")
                .fact_with("database", || Fact::text("16.4 (\"Debian\")"))
                .fact_with("flag", || true)
                .fact_with("number", || 7)
        })
        .section("usage", |s| {
            s.counter("orders")
                .unit("orders")
                .gauge("load")
                .summary("basket")
                .with(Figure::Count)
                .with(Figure::Sum)
                .with(Figure::Quantile(0.999))
                .with(Figure::Buckets(16))
                .gauge_summary("queue")
                .distinct("clients", "id")
                .distinct("united", "id")
                .mergeable()
                .metric("usage.clients")
                .series("responses", |s: Series| {
                    s.values("status", ["ok", "failed"]).seen("client")
                })
                .series("commands", |s| s.seen("command").at_most(3).as_object())
                .series("kinds", |s| s.values("kind", ["a", "b"]).others().as_object())
                .gauge_series("pools", |s| s.values("pool", ["read", "write"]))
                .buckets("times", [0.0, 1.0, 60.0], |s| s)
                .counter("rough")
                .transform(callhome::Transform::Digits(1))
                .summary("few")
                .transform(callhome::Transform::AtLeast(5))
                .counter("since")
                .cumulative()
        })
}

pub(crate) fn builder(version: &'static str) -> Builder {
    CallHome::builder(schema(version)).sink(Wire::default()).opt_out().max_attempts(1)
}

/// What happens on the way to the receiver, and what it has got.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    random: Option<Random>,
    got: Vec<String>,
    refused: Vec<Value>,
}

impl Sink for Wire {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let mut state = self.0.lock().unwrap();
        let body = String::from_utf8(parcel.body().to_vec()).unwrap();
        let report: Value = serde_json::from_str(&body).unwrap();
        let Some(random) = &mut state.random else {
            state.got.push(body);
            return Ok(());
        };
        match random.below(100) {
            0..=7 => Err(SendError::retry("away")),
            8..=10 => Err(SendError::retry("silent").possibly_delivered()),
            11..=13 => {
                state.got.push(body);
                Err(SendError::retry("silent").possibly_delivered())
            }
            // It has it and says that it has not: what comes next has it once more.
            14..=17 => {
                state.got.push(body);
                Err(SendError::retry("busy"))
            }
            18 | 19
                if report["merged"].as_array().unwrap().is_empty() && report["sequence"] != 1 =>
            {
                state.refused.push(report);
                Err(SendError::refused("never"))
            }
            20 | 21 => {
                state.got.extend([body.clone(), body]);
                Ok(())
            }
            _ => {
                state.got.push(body);
                Ok(())
            }
        }
    }

    fn describe(&self) -> String {
        "wire".to_owned()
    }

    fn is_local(&self) -> bool {
        true
    }
}

pub(crate) struct World {
    /// What the receiver got, in the order of nothing.
    pub(crate) lines: Vec<String>,
    pub(crate) truth: Answers,
}

impl World {
    pub(crate) fn live() -> World {
        let mut world = World { lines: Vec::new(), truth: Answers::new() };
        let mut random = Random(7);
        for installation in 0..INSTALLATIONS {
            world.installation(installation, &mut random);
        }
        world.add("installations: all", INSTALLATIONS as u128);
        let mut ids: Vec<String> =
            world.lines.iter().map(|line| super::mutants::id(line)).collect();
        ids.sort_unstable();
        ids.dedup();
        world.add("rows: all", ids.len() as u128);
        let parsed: Vec<Value> =
            world.lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let max =
            parsed.iter().filter_map(|report| report["data"]["usage"]["basket"]["max"].as_u64());
        world.add("basket max: all", max.max().unwrap().into());
        let mut parts: Vec<String> = parsed
            .iter()
            .flat_map(|report| report["merged"].as_array().unwrap().clone())
            .map(|id| id.as_str().unwrap().to_owned())
            .filter(|id| ids.binary_search(id).is_ok())
            .collect();
        parts.sort_unstable();
        parts.dedup();
        assert!(parts.len() > 100, "{} reports are part of a later one", parts.len());
        world.add("reports: all", (ids.len() - parts.len()) as u128);
        for at in (1..world.lines.len()).rev() {
            world.lines.swap(at, random.below(at as u64 + 1) as usize);
        }
        assert!(world.lines.len() >= 10_000, "{}", world.lines.len());
        world
    }

    fn add(&mut self, name: impl Into<String>, number: u128) {
        if number > 0 {
            *self.truth.entry(name.into()).or_default() += number;
        }
    }

    fn take(&mut self, name: &str, number: &Value) {
        let number = u128::from(number.as_u64().unwrap());
        *self.truth.get_mut(name).unwrap() -= number;
    }

    /// All processes of an installation, one after the other.
    fn installation(&mut self, installation: usize, random: &mut Random) {
        let clock = VirtualClock::new();
        let mut left = WINDOWS;
        while left > 0 {
            let windows = left.min(1 + random.below(40) as usize);
            left -= windows;
            let wire = Wire::default();
            let cluster = format!("installation {installation}");
            let version = VERSIONS[installation % 2];
            let builder =
                builder(version).sink(wire.clone()).clock(clock.clone()).cluster_id(cluster);
            let callhome = builder.build().unwrap();
            self.add("instances: all", 1);
            for window in 0..windows {
                metrics::with_local_recorder(callhome.recorder(), || self.record(version, random));
                clock.advance(Duration::from_secs(4 * 60 * 60));
                let is_last = window + 1 == windows;
                wire.0.lock().unwrap().random = (!is_last).then(|| Random(random.below(u64::MAX)));
                let _ = callhome.flush();
            }
            let ended = callhome.shutdown(Duration::from_secs(30));
            let State { got, refused, .. } = std::mem::take(&mut *wire.0.lock().unwrap());
            assert_eq!(ended.lost(), 0, "{ended:?}");
            self.add("refused: all", refused.len() as u128);
            let has = |report: &&Value| {
                let id = report["report_id"].as_str().unwrap();
                got.iter().any(|line| line.contains(id))
            };
            // What came without an answer may be refused when it comes again.
            refused.iter().filter(|report| !has(report)).for_each(|report| self.lose(report));
            self.lines.extend(got);
        }
    }

    /// Records a window.
    fn record(&mut self, version: &str, random: &mut Random) {
        let most = 1 << random.below(50);
        let orders = random.below(most);
        counter!("usage.orders").increment(orders);
        counter!("usage.rough").increment(orders);
        counter!("usage.since").increment(3);
        self.add(format!("orders: {version}"), orders.into());
        self.add("since the start: all", 3);
        gauge!("usage.load").set(random.below(1000) as f64 / 8.0);
        gauge!("usage.queue").set(random.below(1000) as f64);
        gauge!("usage.pools", "pool" => "read").set(0.1);
        for _ in 0..random.below(12) {
            let value = random.below(1 << 20);
            histogram!("usage.basket").record(value as f64);
            histogram!("usage.few").record(-(value as f64));
            self.add("basket count: all", 1);
            self.add("buckets: all", 1);
            self.add("basket sum: all", value.into());
            counter!("usage.clients", "id" => value.to_string()).increment(1);
        }
        if random.below(10) == 0 {
            histogram!("usage.basket").record(f64::NAN);
            self.add("nan: all", 1);
        }
        for (status, client) in [("ok", "é'\"\\"), ("ok", "web"), ("failed", "web")] {
            let count = random.below(100);
            counter!("usage.responses", "status" => status, "client" => client).increment(count);
            self.add(format!("responses: {status} {}", client), count.into());
        }
        for command in
            ["list", "show", "find it", "more", "most"].iter().take(random.below(4) as usize)
        {
            counter!("usage.commands", "command" => *command).increment(2);
            self.add(format!("commands: {command}"), 2);
        }
        counter!("usage.kinds", "kind" => "c").increment(1);
        for (cutoff, value) in [(0, 0.5), (1, 1.0), (60, 1e6)] {
            histogram!("usage.times").record(value);
            self.add(format!("times: {cutoff}"), 1);
        }
    }

    /// What the receiver would not take.
    fn lose(&mut self, report: &Value) {
        self.add("missing: all", 1);
        let usage = &report["data"]["usage"];
        let version = report["data"]["version"].as_str().unwrap();
        self.take(&format!("orders: {version}"), &usage["orders"]);
        self.take("basket count: all", &usage["basket"]["count"]);
        self.take("buckets: all", &usage["basket"]["count"]);
        self.take("basket sum: all", &usage["basket"]["sum"]);
        if let Some(refused) = report["losses"].get("refused_values") {
            self.take("nan: all", refused);
        }
        for row in usage["responses"].as_array().unwrap() {
            if row["value"] != 0 {
                let (status, client) =
                    (row["status"].as_str().unwrap(), row["client"].as_str().unwrap());
                self.take(&format!("responses: {status} {}", client), &row["value"]);
            }
        }
        for (name, value) in usage["commands"].as_object().unwrap() {
            self.take(&format!("commands: {name}"), value);
        }
        for row in usage["times"].as_array().unwrap() {
            self.take(&format!("times: {}", row["greater_than"]), &row["count"]);
        }
    }
}

//! The generated tables on the real engines: what was recorded is what their queries say, whatever
//! comes twice, late, out of order, merged or broken.
//!
//! `.ci/engines` starts PostgreSQL, gets ClickHouse's engine and runs these; they need both.

mod support;

#[path = "engines/engine.rs"]
mod engine;
#[path = "engines/gallery.rs"]
mod gallery;
#[path = "engines/mutants.rs"]
mod mutants;
#[path = "engines/odd.rs"]
mod odd;
#[path = "engines/world.rs"]
mod world;

use std::collections::BTreeMap;

use callhome::sink::MemorySink;
use callhome::{Builder, CallHome, ErrorKind, Schema};
use engine::{ClickHouse, Engine, Postgres};
use world::World;

/// What a query says, in the words of each engine.
struct Question {
    name: &'static str,
    postgres: &'static str,
    clickhouse: &'static str,
}

const fn alike(name: &'static str, sql: &'static str) -> Question {
    Question { name, postgres: sql, clickhouse: sql }
}

/// Each gives rows of a name and a number.
const QUESTIONS: &[Question] = &[
    alike("reports", "SELECT 'all', count(*) FROM shop_current"),
    Question {
        name: "rows",
        postgres: "SELECT 'all', count(*) FROM shop",
        clickhouse: "SELECT 'all', count(*) FROM shop FINAL",
    },
    alike("instances", "SELECT 'all', count(DISTINCT instance) FROM shop_current"),
    alike("installations", "SELECT 'all', count(DISTINCT installation) FROM shop_current"),
    alike("missing", "SELECT 'all', coalesce(sum(missing), 0) FROM shop_gaps"),
    alike("refused", "SELECT 'all', sum(losses_reports_refused) FROM shop_current"),
    alike("nan", "SELECT 'all', sum(losses_refused_values) FROM shop_current"),
    alike("orders", "SELECT version, sum(usage_orders) FROM shop_current GROUP BY version"),
    alike("basket count", "SELECT 'all', sum(usage_basket_count) FROM shop_current"),
    Question {
        name: "basket sum",
        postgres: "SELECT 'all', sum(usage_basket_sum)::numeric FROM shop_current",
        clickhouse: "SELECT 'all', toInt128(sum(usage_basket_sum)) FROM shop_current",
    },
    alike(
        "basket max",
        "SELECT 'all', max(usage_basket_max) FROM shop_current WHERE usage_basket_count > 0",
    ),
    Question {
        name: "responses",
        postgres: "SELECT s || ' ' || c, sum(v) FROM shop_current, \
                   unnest(usage_responses_status, usage_responses_client, usage_responses_value) AS u(s, c, v) \
                   GROUP BY s, c HAVING sum(v) > 0",
        clickhouse: "SELECT concat(s, ' ', c), sum(v) AS n FROM shop_current ARRAY JOIN \
                     usage_responses_status AS s, usage_responses_client AS c, usage_responses_value AS v \
                     GROUP BY s, c HAVING n > 0",
    },
    Question {
        name: "commands",
        postgres: "SELECT k, sum(v) FROM shop_current, unnest(usage_commands_name, usage_commands_value) \
                   AS u(k, v) GROUP BY k",
        clickhouse: "SELECT k, sum(v) FROM shop_current ARRAY JOIN usage_commands_name AS k, \
                     usage_commands_value AS v GROUP BY k",
    },
    Question {
        name: "times",
        postgres: "SELECT g, sum(v) FROM shop_current, unnest(usage_times_greater_than, usage_times_count) \
                   AS u(g, v) GROUP BY g",
        clickhouse: "SELECT g, sum(v) FROM shop_current ARRAY JOIN usage_times_greater_than AS g, \
                     usage_times_count AS v GROUP BY g",
    },
    Question {
        name: "buckets",
        postgres: "SELECT 'all', sum(n) FROM shop_current, unnest(usage_basket_buckets_count) AS u(n)",
        clickhouse: "SELECT 'all', sum(arraySum(usage_basket_buckets_count)) FROM shop_current",
    },
    alike(
        "since the start",
        "SELECT 'all', sum(most) FROM (SELECT instance, max(usage_since) AS most FROM shop_current \
         GROUP BY instance) AS i",
    ),
];

pub(crate) type Answers = BTreeMap<String, u128>;

fn ask(engine: &dyn Engine) -> Answers {
    let mut answers = Answers::new();
    for Question { name, postgres, clickhouse } in QUESTIONS {
        let sql = if engine.is_postgres() { postgres } else { clickhouse };
        for row in engine.rows(sql) {
            let number = row[1].parse().unwrap_or_else(|_| panic!("{name}: {row:?}"));
            answers.insert(format!("{name}: {}", row[0]), number);
        }
    }
    answers
}

fn rejected(engine: &dyn Engine) -> u128 {
    engine.rows("SELECT count(*) FROM shop_rejected")[0][0].parse().unwrap()
}

fn check(engine: &dyn Engine) {
    let world = World::live();
    engine.create(&world::builder("1.0"), "shop");
    let (half, rest) = world.lines.split_at(world.lines.len() / 2);
    engine.load("shop", half);
    engine.load("shop", rest);
    let first = ask(engine);
    for (name, number) in &world.truth {
        assert_eq!(first.get(name), Some(number), "{name}");
    }
    assert_eq!(first, world.truth);
    assert_eq!(rejected(engine), 0);

    engine.load("shop", &world.lines);
    assert_eq!(ask(engine), first, "loaded twice");

    let mutants = mutants::of(&world.lines);
    assert!(mutants.len() >= 10_000, "{}", mutants.len());
    engine.load("shop", &mutants);
    let wrong = ask(engine);
    if wrong != first || rejected(engine) != mutants.len() as u128 {
        let known: std::collections::HashSet<String> =
            world.lines.iter().map(|line| mutants::id(line)).collect();
        let ids = engine.rows("SELECT report_id FROM shop");
        let taken: Vec<&String> =
            ids.iter().map(|row| &row[0]).filter(|id| !known.contains(*id)).collect();
        let taken = mutants.iter().filter(|line| taken.iter().any(|id| line.contains(&***id)));
        let taken: Vec<&String> = taken.take(5).collect();
        panic!("{} of {} rejected; taken: {taken:#?}", rejected(engine), mutants.len());
    }
    // Under the id of a report that is there, what comes later counts for nothing.
    engine.load("shop", &mutants::forged(&world.lines));
    assert_eq!(ask(engine), first, "forged");
}

#[test]
#[ignore = "needs PostgreSQL, which .ci/engines starts"]
fn postgres_says_what_was_recorded() {
    check(&Postgres::new());
}

#[test]
#[ignore = "needs ClickHouse's engine, which .ci/engines gets"]
fn clickhouse_says_what_was_recorded() {
    check(&ClickHouse::new());
}

#[test]
#[ignore = "needs PostgreSQL, which .ci/engines starts"]
fn postgres_takes_any_name_and_value() {
    odd::check(&Postgres::new());
}

#[test]
#[ignore = "needs ClickHouse's engine, which .ci/engines gets"]
fn clickhouse_takes_any_name_and_value() {
    odd::check(&ClickHouse::new());
}

#[test]
#[ignore = "needs PostgreSQL, which .ci/engines starts"]
fn postgres_answers_the_gallery() {
    gallery::check(&Postgres::new());
}

#[test]
#[ignore = "needs ClickHouse's engine, which .ci/engines gets"]
fn clickhouse_answers_the_gallery() {
    gallery::check(&ClickHouse::new());
}

fn shop(schema: Schema) -> Builder {
    CallHome::builder(schema).sink(MemorySink::new()).opt_out()
}

#[test]
fn what_cannot_be_a_table_is_an_error() {
    let builder = || shop(Schema::new("shop").counter("orders"));
    type Make = fn(&Builder, &str) -> Result<String, callhome::Error>;
    let both: [Make; 2] = [|b, table| b.to_postgres(table), |b, table| b.to_clickhouse(table)];
    for make in both {
        assert!(make(&builder(), &"t".repeat(50)).is_ok());
        for name in ["", " ", "a\nb", &"t".repeat(51)] {
            assert_eq!(make(&builder(), name).unwrap_err().kind(), ErrorKind::Config, "{name}");
        }
        let error = make(&builder().bare(), "t").unwrap_err();
        assert!(error.to_string().contains("drop `bare`"), "{error}");
        assert_eq!(make(&shop(Schema::new("shop")), "t").unwrap_err().kind(), ErrorKind::Schema);
    }
    let many = (0..1600).fold(Schema::new("shop"), |s, at| s.counter(format!("c{at}")));
    assert!(shop(many.clone()).to_clickhouse("t").is_ok());
    assert!(shop(many).to_postgres("t").unwrap_err().to_string().contains("at most 1600"));
}

#[test]
fn the_tables_say_what_the_schema_says() {
    let schema = Schema::new("shop").instance_id("process").section("usage", |s| {
        s.counter("orders").describe("It's paid").unit("euros").gauge("load").summary("rows")
    });
    let postgres = shop(schema.clone()).to_postgres("shop's").unwrap();
    for line in [
        "CREATE TABLE \"shop's\" (\n  \"report_id\" uuid NOT NULL,\n  \"instance\" text NOT NULL",
        "\n  \"sequence\" numeric(20) NOT NULL CHECK (\"sequence\" BETWEEN 1 AND 18446744073709551615),\n",
        "\n  \"usage_orders\" numeric(20) NOT NULL CHECK (\"usage_orders\" BETWEEN 0 AND 18446744073709551615),\n",
        "\n  \"usage_load\" double precision,\n",
        "\n  \"usage_rows_mode\" double precision,\n",
        "\n  CHECK (\"usage_rows_min\" <= \"usage_rows_mean\"),\n",
        "COMMENT ON COLUMN \"shop's\".\"usage_orders\" IS 'It''s paid (counter, euros)';",
        "ON CONFLICT (\"report_id\") DO NOTHING",
        "CREATE VIEW \"shop's_gaps\"",
    ] {
        assert!(postgres.contains(line), "{line}\n{postgres}");
    }
    let clickhouse = shop(schema).to_clickhouse("shop").unwrap();
    for line in [
        "CREATE TABLE `shop` (\n  `report_id` UUID COMMENT 'A random id",
        "\n  `usage_orders` UInt64 COMMENT 'It\\'s paid (counter, euros)',\n",
        "\n  `usage_load` Nullable(Float64) COMMENT",
        "ENGINE = ReplacingMergeTree(`precedence`) ORDER BY `report_id`",
        "CREATE VIEW `shop_gaps`",
    ] {
        assert!(clickhouse.contains(line), "{line}\n{clickhouse}");
    }
    let without = shop(Schema::new("shop").counter("orders"));
    assert!(!without.to_postgres("shop").unwrap().contains("_gaps"));
    assert!(!without.to_clickhouse("shop").unwrap().contains("_gaps"));
}

//! The gallery of questions, asked about a simulated fleet whose truth is known.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use serde_json::Value;

use super::engine::Engine;
use crate::support::example;

type Rows = Vec<Vec<String>>;

/// The fleet's reports and what is true of them.
struct Fleet {
    directory: String,
    truth: BTreeMap<String, Rows>,
}

fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    FLEET.get_or_init(|| {
        let directory = env!("CARGO_TARGET_TMPDIR").to_owned() + "/fleet";
        // Another number of installations and days.
        let size = std::env::var("CALLHOME_FLEET").unwrap_or_default();
        let mut fleet = example("fleet");
        let output = fleet.arg(&directory).args(size.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        println!("{}", String::from_utf8_lossy(&output.stdout));
        let truth = fs::read_to_string(format!("{directory}/truth.json")).unwrap();
        let truth: BTreeMap<String, Vec<Vec<Value>>> = serde_json::from_str(&truth).unwrap();
        let said = |value: Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let rows = |rows: Vec<Vec<Value>>| -> Rows {
            rows.into_iter().map(|row| row.into_iter().map(said).collect()).collect()
        };
        let truth = truth.into_iter().map(|(question, answer)| (question, rows(answer)));
        Fleet { directory, truth: truth.collect() }
    })
}

pub(crate) fn check(engine: &dyn Engine) {
    let name = if engine.is_postgres() { "postgres" } else { "clickhouse" };
    let fleet = fleet();
    let ddl = fs::read_to_string(format!("{}/{name}.sql", fleet.directory)).unwrap();
    engine.rows(&ddl);
    let begin = Instant::now();
    engine.load_from("fleet", &format!("{}/reports.jsonl", fleet.directory));
    println!("{name}: loaded in {:.1?}", begin.elapsed());
    assert_eq!(engine.rows("SELECT count(*) FROM fleet_rejected"), [["0"]]);
    println!("{name}: {} bytes for each report", engine.rows(engine.bytes_of_a_row())[0][0]);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sql").join(name);
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
    let mut files: Vec<String> = files.map(|file| file.into_string().unwrap()).collect();
    files.sort_unstable();
    let questions: Vec<&str> = files.iter().filter_map(|file| file.strip_suffix(".sql")).collect();
    let known: Vec<&str> = fleet.truth.keys().map(String::as_str).collect();
    assert_eq!(questions, known);
    for question in questions {
        let sql = fs::read_to_string(folder.join(format!("{question}.sql"))).unwrap();
        let begin = Instant::now();
        let mut answer = engine.rows(&sql);
        println!("{name}: {question} in {:.1?}", begin.elapsed());
        let mut truth = fleet.truth[question].clone();
        answer.sort_unstable();
        truth.sort_unstable();
        assert_eq!(answer.len(), truth.len(), "{question}: {answer:?}, not {truth:?}");
        for (row, true_row) in answer.iter().zip(&truth) {
            let is_right = match question {
                "quantiles" => is_near(row, true_row),
                "distinct_clients" | "distinct_clients_per_week" => is_close(row, true_row),
                _ => {
                    let mut values = row.iter().zip(true_row);
                    row.len() == true_row.len() && values.all(|(a, b)| is_same(a, b))
                }
            };
            assert!(is_right, "{question}: {row:?}, not {true_row:?}");
        }
    }
}

/// The same text, or the same number but for rounding where one of them is none that is whole.
fn is_same(answer: &str, truth: &str) -> bool {
    let has_fraction = |text: &str| text.contains('.');
    match (answer.parse::<f64>(), truth.parse::<f64>()) {
        (Ok(a), Ok(b)) if has_fraction(answer) || has_fraction(truth) => {
            (a - b).abs() <= 1e-9 * b.abs()
        }
        _ => answer == truth,
    }
}

/// A version, a percentage, a value and how far that may be off.
fn is_near(answer: &[String], truth: &[String]) -> bool {
    let [value, error] = [2, 3].map(|at| answer[at].parse::<f64>().unwrap());
    let exact: f64 = truth[2].parse().unwrap();
    answer[..2] == truth[..2] && error < 0.1 && (value - exact).abs() <= error * exact
}

/// A name and an estimate of how many. Of a fleet of another size there may be so many installations
/// that one is off by five standard errors.
fn is_close(answer: &[String], truth: &[String]) -> bool {
    let [estimate, exact] = [answer, truth].map(|row| row[1].parse::<f64>().unwrap());
    let (least, share) =
        if std::env::var_os("CALLHOME_FLEET").is_some() { (3.0, 0.04) } else { (1.0, 0.02) };
    answer[0] == truth[0] && (estimate - exact).abs() <= (exact * share).max(least)
}

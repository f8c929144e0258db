//! The engines, as the tests speak to them.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use callhome::Builder;
use serde_json::Value;

pub(crate) trait Engine {
    fn is_postgres(&self) -> bool;

    /// Runs statements, and returns the rows of the last.
    fn rows(&self, sql: &str) -> Vec<Vec<String>>;

    /// A query of what a row of the table `fleet` takes on disk.
    fn bytes_of_a_row(&self) -> &'static str {
        match self.is_postgres() {
            true => "SELECT pg_total_relation_size('fleet') / (SELECT count(*) FROM fleet)",
            false => {
                "SELECT intDiv(sum(data_compressed_bytes), sum(rows)) FROM system.parts \
                 WHERE active AND table = 'fleet'"
            }
        }
    }

    /// Loads JSON lines.
    fn load_from(&self, table: &str, file: &str);

    fn create(&self, builder: &Builder, table: &str) {
        let ddl = match self.is_postgres() {
            true => builder.to_postgres(table).unwrap(),
            false => builder.to_clickhouse(table).unwrap(),
        };
        self.rows(&ddl);
    }

    fn load(&self, table: &str, lines: &[String]) {
        let file = std::env::temp_dir().join(format!("callhome-{}.jsonl", uuid::Uuid::new_v4()));
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        self.load_from(table, file.to_str().unwrap());
        fs::remove_file(file).unwrap();
    }
}

/// What ClickHouse means by a text in tab-separated values.
fn unescaped(text: &str) -> String {
    let text = text.replace("\\\\", "\0").replace("\\'", "'").replace("\\n", "\n");
    text.replace("\\t", "\t").replace('\0', "\\")
}

fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// A schema of its own in the database that the environment names.
pub(crate) struct Postgres {
    schema: String,
}

impl Postgres {
    pub(crate) fn new() -> Postgres {
        let schema = format!("s{}", uuid::Uuid::new_v4().simple());
        let postgres = Postgres { schema };
        postgres.rows(&format!("CREATE SCHEMA {}", postgres.schema));
        postgres
    }
}

impl Engine for Postgres {
    fn is_postgres(&self) -> bool {
        true
    }

    fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let psql = std::env::var_os("CALLHOME_PSQL").map_or("psql".into(), PathBuf::from);
        let arguments = ["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-f", "-"];
        let mut psql = Command::new(psql)
            .args(arguments)
            .env("PGOPTIONS", format!("-c search_path={}", self.schema))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql");
        // It ends at the first error, and says itself which.
        let _ = psql.stdin.take().unwrap().write_all(sql.as_bytes());
        let output = psql.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", sql.chars().take(2000).collect::<String>());
        rows(&String::from_utf8(output.stdout).unwrap())
    }

    fn load_from(&self, table: &str, file: &str) {
        let form = r"(format csv, quote e'\x01', delimiter e'\x02')";
        self.rows(&format!("\\copy {table}_lines from '{file}' {form}\n"));
    }
}

/// An engine without tables yet, in a process of its own.
pub(crate) struct ClickHouse {
    process: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl ClickHouse {
    pub(crate) fn new() -> ClickHouse {
        let python = std::env::var_os("CALLHOME_CHDB").expect("CALLHOME_CHDB: a Python with chdb");
        let mut process = Command::new(python)
            .args(["-c", include_str!("chdb.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python");
        let pipes = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        ClickHouse { process, pipes: RefCell::new((pipes.0, BufReader::new(pipes.1))) }
    }
}

impl Drop for ClickHouse {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Engine for ClickHouse {
    fn is_postgres(&self) -> bool {
        false
    }

    fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let (input, output) = &mut *self.pipes.borrow_mut();
        writeln!(input, "{}", Value::from(sql)).unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).expect("an answer");
        let told = answer["rows"].as_str();
        let told = told.unwrap_or_else(|| panic!("{}: {sql:.2000}", answer["error"]));
        let mut rows = rows(told);
        rows.iter_mut().flatten().for_each(|text| *text = unescaped(text));
        rows
    }

    fn load_from(&self, table: &str, file: &str) {
        self.rows(&format!(
            "INSERT INTO {table}_lines (line) SELECT line FROM file('{file}', 'LineAsString')"
        ));
    }
}

//! Tables, checks and loading for ClickHouse.

use super::clickhouse_json::Objects;
use super::columns::{Column, Columns, Value, kept_as};
use super::names::Names;
use super::whole::Whole;
use crate::artefact::shape::Shape;
use crate::error::Error;
use crate::schema::Plan;
use crate::window::NAMED;

/// The most bytes of a name: columns are files.
const LONGEST_NAME: usize = 127;

/// What creates the tables of a schema's reports, and what loads them.
pub(crate) fn clickhouse(plan: &Plan, table: &str) -> Result<String, Error> {
    let whole = Whole::new(plan)?;
    let names = Names::new(LONGEST_NAME, ["received_at", "precedence", "line", "fault"]);
    let columns = Columns::new(&whole, names);
    let mut objects = Objects::default();
    let faults = objects.faults(&whole.shape);
    let named = Named(table);
    let mut parts = vec![
        named.opening(plan),
        table_of(plan, &columns, &named.of("")),
        named.rejected(),
        named.lines(&objects.columns(), &faults.join(",\n")),
        named.take(&columns, &objects),
        named.refuse(),
        named.current(),
    ];
    // Which reports are those of one process is not known without it.
    parts.extend(columns.named("instance").map(|_| named.gaps()));
    Ok(parts.join("\n\n") + "\n")
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

pub(super) fn text(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{}'", text.replace('\0', "\\0"))
}

pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|one| text(one)).collect();
    // An empty list of nothing in particular could not be compared.
    format!("CAST([{}], 'Array(String)')", texts.join(", "))
}

pub(super) fn kind(value: Value) -> &'static str {
    match value {
        Value::Count => "UInt64",
        Value::Integer => "Int128",
        Value::Float => "Float64",
        Value::Flag => "Bool",
        Value::Uuid => "UUID",
        Value::Time => "DateTime64(6, 'UTC')",
        Value::Text | Value::Json => "String",
    }
}

pub(super) fn nullable(kind: &str, is_nullable: bool) -> String {
    if is_nullable { format!("Nullable({kind})") } else { kind.to_owned() }
}

fn table_of(plan: &Plan, columns: &Columns, table: &str) -> String {
    let mut lines: Vec<String> = columns.columns.iter().map(column).collect();
    lines.push(
        "  `received_at` DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When the report was loaded, by the receiver\\'s clock'"
            .to_owned(),
    );
    // Of rows with one key the one with the highest precedence stays.
    lines.push(
        "  `precedence` UInt64 MATERIALIZED 18446744073709551615 - toUnixTimestamp64Micro(`received_at`) COMMENT 'The first that came counts'"
            .to_owned(),
    );
    let checks = columns.columns.iter().flat_map(|column| limits(column, &quoted(&column.name)));
    let ordered = columns
        .ordered
        .iter()
        .map(|(less, more)| format!("ifNull({} <= {}, true)", quoted(less), quoted(more)));
    let parallel = columns
        .parallel
        .iter()
        .map(|(one, other)| format!("length({}) = length({})", quoted(one), quoted(other)));
    let checks = checks.chain(ordered).chain(parallel).enumerate();
    lines
        .extend(checks.map(|(at, check)| format!("  CONSTRAINT `check_{}` CHECK {check}", at + 1)));
    format!(
        "CREATE TABLE {table} (\n{}\n) ENGINE = ReplacingMergeTree(`precedence`) ORDER BY `report_id`\nCOMMENT {};",
        lines.join(",\n"),
        text(&format!(
            "Reports of schema {}; read with FINAL each is there once. Some may be part of a later one.",
            plan.id
        ))
    )
}

fn column(column: &Column) -> String {
    let one = nullable(kind(column.value), column.is_nullable);
    let whole = if column.is_list() { format!("Array({one})") } else { one };
    let about = match &*column.about {
        "" => String::new(),
        about => format!(" COMMENT {}", text(about)),
    };
    format!("  {} {whole}{about}", quoted(&column.name))
}

/// What a column's value must be beside its type.
fn limits(column: &Column, name: &str) -> Vec<String> {
    let is_list = column.is_list();
    let of = |condition: String| match (is_list, column.is_nullable) {
        (true, _) => format!("arrayAll(e -> ifNull({condition}, true), {name})"),
        (false, true) => format!("ifNull({condition}, true)"),
        (false, false) => condition,
    };
    let one = if is_list { "e" } else { name };
    own_limits(&column.shape, one).into_iter().map(of).collect()
}

/// What a value of a column must be beside its type.
fn own_limits(shape: &Shape, one: &str) -> Vec<String> {
    let mut limits = Vec::new();
    if let Some(least) = shape.minimum.filter(|least| *least > 0 || kept_as(shape) == Value::Float)
    {
        limits.push(format!("{one} >= {least}"));
    }
    if let (Some(longest), Value::Text) = (shape.longest, kept_as(shape)) {
        limits.push(format!("lengthUTF8({one}) <= {longest}"));
    }
    if let Some(constant) = &shape.constant {
        limits.push(format!("{one} = {}", text(constant)));
    }
    if !shape.options.is_empty() {
        limits.push(format!("has({}, {one})", list(&shape.options)));
    }
    limits
}

/// The table's name, and those of what belongs to it.
struct Named<'a>(&'a str);

impl Named<'_> {
    fn of(&self, part: &str) -> String {
        quoted(&format!("{}{part}", self.0))
    }

    fn opening(&self, plan: &Plan) -> String {
        format!(
            r#"-- Reports of schema {id}. Load JSON lines with clickhouse-client:
-- INSERT INTO {lines} FORMAT LineAsString
-- Read {current}."#,
            id = plan.id,
            lines = self.of("_lines"),
            current = self.of("_current"),
        )
    }

    fn rejected(&self) -> String {
        format!(
            r#"CREATE TABLE {} (
  `received_at` DateTime64(6, 'UTC') DEFAULT now64(6),
  `reason` String,
  `line` String
) ENGINE = MergeTree ORDER BY `received_at`
COMMENT 'Lines that are no reports of the schema, and why.';"#,
            self.of("_rejected")
        )
    }

    /// What lines are loaded into: it keeps nothing, and tells what is wrong with a line.
    fn lines(&self, objects: &str, faults: &str) -> String {
        format!(
            r#"CREATE TABLE {} (
  `line` String,
{objects}  `fault` String MATERIALIZED multiIf(
{faults},
    '')
) ENGINE = Null;"#,
            self.of("_lines")
        )
    }

    fn take(&self, columns: &Columns, objects: &Objects) -> String {
        let values = columns
            .columns
            .iter()
            .map(|column| format!("  {} AS {}", objects.value(column), quoted(&column.name)));
        format!(
            r#"CREATE MATERIALIZED VIEW {take} TO {table} AS SELECT
{values}
FROM {lines} WHERE `fault` = '';"#,
            take = self.of("_take"),
            table = self.of(""),
            values = values.collect::<Vec<_>>().join(",\n"),
            lines = self.of("_lines"),
        )
    }

    fn refuse(&self) -> String {
        format!(
            r#"CREATE MATERIALIZED VIEW {refuse} TO {rejected} AS
SELECT `fault` AS `reason`, substringUTF8(`line`, 1, 10000) AS `line`
FROM {lines} WHERE `fault` != '';"#,
            refuse = self.of("_refuse"),
            rejected = self.of("_rejected"),
            lines = self.of("_lines"),
        )
    }

    /// The reports that are part of no other.
    fn current(&self) -> String {
        format!(
            r#"CREATE VIEW {current} AS SELECT * FROM {table} FINAL WHERE `report_id` NOT IN (
  SELECT r.`report_id` FROM {table} AS r FINAL INNER JOIN (
    SELECT arrayJoin(`merged`) AS part, max(`sequence`) AS number FROM {table} FINAL GROUP BY part
  ) AS later ON r.`report_id` = later.part WHERE later.number > r.`sequence`
)
COMMENT 'Reports to count: each once, without those that are part of a later one.';"#,
            current = self.of("_current"),
            table = self.of(""),
        )
    }

    /// Where reports of a process are missing. One that names as many parts as it may can have more.
    fn gaps(&self) -> String {
        format!(
            r#"CREATE VIEW {gaps} AS SELECT `instance`, `report_id`, `window_start`, `missing` FROM (
  SELECT `instance`, `report_id`, `window_start`, `sequence`,
    lagInFrame(toNullable(toInt128(`sequence`))) OVER (PARTITION BY `instance` ORDER BY `sequence`
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS `before`,
    if(length(`merged`) < {NAMED}, toInt128(`sequence`) - length(`merged`) - 1 - `before`, NULL)
      AS `missing`
  FROM {current}
) WHERE `missing` > 0
COMMENT 'Reports before which windows of the same process are missing, and how many.';"#,
            gaps = self.of("_gaps"),
            current = self.of("_current"),
        )
    }
}

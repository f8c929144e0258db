//! Tables, checks and loading for PostgreSQL.

use super::columns::{Column, Columns, Value};
use super::names::Names;
use super::postgres_json::{collect, value};
use super::whole::Whole;
use crate::error::{Error, ErrorKind};
use crate::schema::Plan;
use crate::window::NAMED;

/// The most bytes of a name.
const LONGEST_NAME: usize = 63;
/// The most columns of a table.
const MOST_COLUMNS: usize = 1600;

/// What creates the tables of a schema's reports, and what loads them.
pub(crate) fn postgres(plan: &Plan, table: &str) -> Result<String, Error> {
    let whole = Whole::new(plan)?;
    // A table has the others by itself.
    let names = ["received_at", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];
    let columns = Columns::new(&whole, Names::new(LONGEST_NAME, names));
    let count = columns.columns.len() + 1;
    if count > MOST_COLUMNS {
        return Err(Error::new(
            ErrorKind::Schema,
            format!(
                "schema `{}` has {count} columns, and PostgreSQL's tables have at most {MOST_COLUMNS}: declare less, or use several reports",
                plan.name
            ),
        ));
    }
    let named = Named(table);
    let mut parts = vec![
        named.opening(plan),
        table_of(plan, &columns, &named.of("")),
        comments(&columns, &named.of("")),
        named.rejected(),
        named.lines(&take(&whole, &columns, &named)),
        named.current(),
    ];
    // Which reports are those of one process is not known without it.
    parts.extend(columns.named("instance").map(|_| named.gaps()));
    Ok(parts.join("\n\n") + "\n")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text of SQL. No value of PostgreSQL has a NUL, and the loader replaces it too.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\0', "\u{fffd}").replace('\'', "''"))
}

pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|one| text(one)).collect();
    format!("ARRAY[{}]::text[]", texts.join(", "))
}

pub(super) fn kind(value: Value) -> &'static str {
    match value {
        Value::Count | Value::Integer => "numeric(20)",
        Value::Float => "double precision",
        Value::Flag => "boolean",
        Value::Uuid => "uuid",
        Value::Time => "timestamptz",
        Value::Text => "text",
        Value::Json => "jsonb",
    }
}

fn table_of(plan: &Plan, columns: &Columns, table: &str) -> String {
    let mut lines: Vec<String> = columns.columns.iter().map(column).collect();
    lines.push("  \"received_at\" timestamptz NOT NULL DEFAULT now()".to_owned());
    lines.push(format!("  PRIMARY KEY ({})", quoted("report_id")));
    for (less, more) in &columns.ordered {
        lines.push(format!("  CHECK ({} <= {})", quoted(less), quoted(more)));
    }
    for (one, other) in &columns.parallel {
        lines.push(format!(
            "  CHECK (cardinality({}) = cardinality({}))",
            quoted(one),
            quoted(other)
        ));
    }
    format!(
        "CREATE TABLE {table} (\n{}\n);\nCOMMENT ON TABLE {table} IS {};",
        lines.join(",\n"),
        text(&format!(
            "Reports of schema {}, each once. Some may be part of a later one.",
            plan.id
        ))
    )
}

fn column(column: &Column) -> String {
    let name = quoted(&column.name);
    let list = if column.is_list() { "[]" } else { "" };
    let null = if column.is_nullable && !column.is_list() { "" } else { " NOT NULL" };
    let checks: Vec<String> =
        limits(column, &name).iter().map(|c| format!(" CHECK ({c})")).collect();
    format!("  {name} {}{list}{null}{}", kind(column.value), checks.concat())
}

/// What a column's value must be beside its type.
fn limits(column: &Column, name: &str) -> Vec<String> {
    let shape = &column.shape;
    let mut limits = Vec::new();
    let is_list = column.is_list();
    if let Some(least) = shape.minimum {
        let most = u64::MAX;
        limits.push(match (column.value, is_list) {
            (Value::Count, false) => format!("{name} BETWEEN {least} AND {most}"),
            (Value::Count, true) => format!("{least} <= ALL ({name}) AND {most} >= ALL ({name})"),
            (_, false) => format!("{name} >= {least}"),
            (_, true) => format!("{least} <= ALL ({name})"),
        });
    }
    if column.value == Value::Json && !is_list {
        let types: Vec<String> = shape.types.iter().map(|name| (*name).to_owned()).collect();
        limits.push(format!("jsonb_typeof({name}) = ANY ({})", self::list(&types)));
    } else if let (Some(longest), false) = (shape.longest, is_list) {
        limits.push(format!("char_length({name}) <= {longest}"));
    }
    if let Some(constant) = &shape.constant {
        limits.push(format!("{name} = {}", text(constant)));
    }
    match (shape.options.is_empty(), is_list) {
        (true, _) => {}
        (false, false) => limits.push(format!("{name} = ANY ({})", self::list(&shape.options))),
        (false, true) => limits.push(format!("{name} <@ {}", self::list(&shape.options))),
    }
    limits
}

fn comments(columns: &Columns, table: &str) -> String {
    let own = columns.columns.iter().map(|column| (&*column.name, &*column.about));
    let received = ("received_at", "When the report was loaded, by the receiver's clock");
    let lines =
        own.chain([received]).filter(|(_, about)| !about.is_empty()).map(|(name, about)| {
            format!("COMMENT ON COLUMN {table}.{} IS {};", quoted(name), text(about))
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// The body of the function that takes a line in.
fn take(whole: &Whole, columns: &Columns, named: &Named<'_>) -> String {
    let mut faults = Vec::new();
    collect(&whole.shape, "r", "report", &mut faults);
    let lines = |lines: Vec<String>, between: &str| lines.join(between);
    let fault = |(place, valid): &(String, String)| {
        format!("      WHEN ({valid}) IS NOT TRUE THEN {}", text(place))
    };
    let columns = &columns.columns;
    // A NUL cannot be kept. After an odd number of backslashes it is none.
    format!(
        r#"DECLARE
  r jsonb;
  fault text;
BEGIN
  BEGIN
    r := regexp_replace(NEW.line, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::jsonb;
    fault := CASE
{faults}
    END;
    IF fault IS NULL THEN
      INSERT INTO {table} ({names})
      VALUES (
{values}
      ) ON CONFLICT ("report_id") DO NOTHING;
    END IF;
  EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    fault := SQLERRM;
  END;
  IF fault IS NOT NULL THEN
    INSERT INTO {rejected} ("reason", "line") VALUES (left(fault, 200), left(NEW.line, 10000));
  END IF;
  RETURN NEW;
END"#,
        faults = lines(faults.iter().map(fault).collect(), "\n"),
        table = named.of(""),
        names = lines(columns.iter().map(|column| quoted(&column.name)).collect(), ", "),
        values =
            lines(columns.iter().map(|one| format!("        {}", value(one))).collect(), ",\n"),
        rejected = named.of("_rejected"),
    )
}

/// The table's name, and those of what belongs to it.
struct Named<'a>(&'a str);

impl Named<'_> {
    fn of(&self, part: &str) -> String {
        quoted(&format!("{}{part}", self.0))
    }

    fn opening(&self, plan: &Plan) -> String {
        format!(
            r#"-- Reports of schema {id}. Load JSON lines with psql:
-- \copy {lines} from 'reports.jsonl' (format csv, quote e'\x01', delimiter e'\x02')
-- or one report by: insert into {lines} (line) values ($1).
-- Read {current}."#,
            id = plan.id,
            lines = self.of("_lines"),
            current = self.of("_current"),
        )
    }

    fn rejected(&self) -> String {
        format!(
            r#"CREATE TABLE {table} (
  "received_at" timestamptz NOT NULL DEFAULT now(),
  "reason" text NOT NULL,
  "line" text
);
COMMENT ON TABLE {table} IS 'Lines that are no reports of the schema, and why.';"#,
            table = self.of("_rejected"),
        )
    }

    /// What lines are loaded into: a view that gives each to a function.
    fn lines(&self, body: &str) -> String {
        let mut tag = "$body$".to_owned();
        while body.contains(&tag) {
            tag.insert(1, 'x');
        }
        format!(
            r#"CREATE FUNCTION {take}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT
AS {tag}
{body}
{tag};

CREATE VIEW {lines} AS SELECT ''::text AS "line" WHERE false;
CREATE TRIGGER "take" INSTEAD OF INSERT ON {lines} FOR EACH ROW EXECUTE FUNCTION {take}();"#,
            take = self.of("_take"),
            lines = self.of("_lines"),
        )
    }

    /// The reports that are part of no other.
    fn current(&self) -> String {
        format!(
            r#"CREATE VIEW {current} AS SELECT * FROM {table} AS r WHERE NOT EXISTS (
  SELECT FROM (SELECT unnest("merged") AS part, "sequence" AS number FROM {table}) AS later
  WHERE later.part = r."report_id" AND later.number > r."sequence"
);
COMMENT ON VIEW {current} IS
  'Reports to count: each once, without those that are part of a later one.';"#,
            current = self.of("_current"),
            table = self.of(""),
        )
    }

    /// Where reports of a process are missing. One that names as many parts as it may can have more.
    fn gaps(&self) -> String {
        format!(
            r#"CREATE VIEW {gaps} AS SELECT * FROM (
  SELECT "instance", "report_id", "window_start",
    CASE WHEN cardinality("merged") < {NAMED} THEN "sequence" - cardinality("merged") - 1
      - lag("sequence") OVER (PARTITION BY "instance" ORDER BY "sequence") END AS "missing"
  FROM {current}
) AS r WHERE "missing" > 0;
COMMENT ON VIEW {gaps} IS
  'Reports before which windows of the same process are missing, and how many.';"#,
            gaps = self.of("_gaps"),
            current = self.of("_current"),
        )
    }
}

//! What is generated from the settings.

use super::Builder;
use crate::artefact::{Facts, Page, Sort, clickhouse, contract, events_contract, postgres};
use crate::error::Error;
use crate::schema::Plan;

/// # Documents
impl Builder {
    /// The page about the reports that a product publishes, in Markdown, made of these settings and
    /// what the maintainers say: why, what (a table for each section), how often, where to, what is
    /// never sent, how to see it, how to switch it off, identity, for how long it is kept, and a
    /// sample. It depends on nothing else, so that a test can compare it to a committed file, see
    /// [`assert_page_current!`](crate::assert_page_current).
    ///
    /// Of a builder of [events](Builder::event) it is the page about those.
    ///
    /// Give it the settings that the product is installed with. Reads and makes no file, and asks no
    /// function of the schema: facts show their [`example`](crate::Schema::example).
    ///
    /// # Errors
    ///
    /// Those of [`build`](Builder::build) for the schema, the endpoint and the default;
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) for an example that is not of its field's
    /// type, [`ErrorKind::Config`](crate::ErrorKind::Config) without an endpoint or sink, and for a
    /// page without [`why`](Page::why) or [`retention`](Page::retention).
    pub fn to_markdown(&self, page: &Page) -> Result<String, Error> {
        let (plan, events) = Builder::plans(self.schema.clone(), self.events.clone())?;
        let (plans, sort) = match events.has_kinds() {
            true => (events.plans(), Sort::Event),
            false => (vec![&plan], Sort::Report),
        };
        let sink = match &self.sink {
            Some(Ok(sink)) => (sink.describe(), sink.is_local()),
            Some(Err(error)) => return Err(Error::new(error.kind(), error.to_string())),
            None => {
                return Err(Error::config(
                    "the page cannot say where reports go: give the builder an `endpoint` or a \
                     `sink`",
                ));
            }
        };
        let facts = Facts {
            first: self.first(),
            every: self.every,
            spread: self.spread.unwrap_or(self.every),
            age: self.limits.age,
            most: self.limits.body,
            batching: self.limits.batching,
            sink,
            is_spooled: self.spool.is_some(),
            bare: self.bare,
            cluster: self.cluster.clone(),
            is_instance_given: self.instance.is_some(),
            key: self.key.clone(),
            switch: self.switch.told()?,
            variable: self.switch.first_variable().map(str::to_owned),
            local_file: self.local_file.clone(),
        };
        page.render(&plans, sort, &facts)
    }

    /// The JSON Schema (2020-12) of the reports that these settings send, for their receiver: every
    /// object has exactly the members that are declared, and nothing else is valid. Members of the
    /// envelope are part of it unless the reports are [`bare`](Builder::bare).
    ///
    /// It has what JSON Schema does not know as `x-kind`, `x-unit` and `x-transforms` of a field,
    /// and `x-schema-version` of the whole. A fact may always be null; one that is asked for or given
    /// is any text, number or flag. Committed to a repository, the document is what
    /// [`assert_schema_compatible!`](crate::assert_schema_compatible) compares to.
    ///
    /// Of [events](Builder::event) there is one document for all kinds: each is a member of `anyOf`,
    /// with its name as the `title` and an `x-schema-version` of its own; that of the whole is the one
    /// of the builder's schema. It describes an event (`x-body` is `event`), an array of some where
    /// they are sent [as one](Builder::events_as_array) (`array`), and each line of a body of
    /// [lines](Builder::events_as_lines) (`lines`). What a sink puts around them
    /// ([`Wrapped`](crate::sink::Wrapped)) is not part of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) for a schema that contradicts itself.
    pub fn to_json_schema(&self) -> Result<String, Error> {
        let (plan, events) = Builder::plans(self.schema.clone(), self.events.clone())?;
        let body = self.limits.batching.shape;
        match events.has_kinds() {
            true => events_contract(&plan, &events.plans(), self.bare, body),
            false => contract(&plan, self.bare, Sort::Report),
        }
    }

    /// The JSON Schema of one [event](Builder::event) of this kind alone, for a receiver that has a
    /// table or a queue of it. [`to_json_schema`](Builder::to_json_schema) has all kinds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) for a schema that contradicts itself,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a kind that is not declared.
    pub fn event_json_schema(&self, kind: &str) -> Result<String, Error> {
        let (_, events) = Builder::plans(self.schema.clone(), self.events.clone())?;
        contract(events.plan(kind)?, self.bare, Sort::Event)
    }

    /// SQL that creates what a receiver with PostgreSQL (tested with 15) needs for these reports: run
    /// it once for each schema id, with a name of one's own for the table.
    ///
    /// | name | is |
    /// | --- | --- |
    /// | `t` | the reports: a row for each, known by its id, however often it comes |
    /// | `t_lines` | what reports are loaded into, one JSON document to a row: `\copy t_lines from 'reports.jsonl' (format csv, quote e'\x01', delimiter e'\x02')`, or `insert` |
    /// | `t_rejected` | lines that are no reports of this schema, and why; they change nothing else |
    /// | `t_current` | the reports to count: without those that were merged into a later one |
    /// | `t_gaps` | reports before which some of the same process are missing; of a schema with an [`instance_id`](crate::Schema::instance_id) |
    ///
    /// `t` has a column for each value in a report, in its order: those of the envelope, those of
    /// `data`, named by their paths joined with `_`, and at last `received_at`. A list of objects
    /// becomes one array for each member, all of the same length; buckets and an object with the names
    /// that come become two, `…_value` and `…_count`, or `…_name` and `…_value`. A name that is longer
    /// than the engine's limit or there already ends in a hash of its path. Descriptions and units are
    /// comments.
    ///
    /// | value | PostgreSQL | ClickHouse |
    /// | --- | --- | --- |
    /// | counts and other whole numbers from 0 | `numeric(20)` | `UInt64` |
    /// | constants that are whole numbers | `numeric(20)` | `Int128` |
    /// | other numbers, and those that a transform made coarser | `double precision` | `Float64` |
    /// | flags | `boolean` | `Bool` |
    /// | times | `timestamptz` | `DateTime64(6, 'UTC')` |
    /// | the ids of reports | `uuid` | `UUID` |
    /// | texts, and facts that may be more than one of these | `text` | `String` |
    ///
    /// What is not exactly what the schema says is rejected: a member more or less, another type, a
    /// number out of its range, a text that is too long or not listed, a minimum above the mean, and
    /// reports of another schema id. A NUL in a text becomes U+FFFD, for PostgreSQL has none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) for a schema that contradicts itself or has
    /// more values than a table has columns, [`ErrorKind::Config`](crate::ErrorKind::Config) for
    /// [`bare`](Builder::bare) reports, which have no id, and for a table's name that is empty, has
    /// control characters or more than 50 bytes.
    pub fn to_postgres(&self, table: &str) -> Result<String, Error> {
        postgres(&self.tabled(table)?, table)
    }

    /// The same as [`to_postgres`](Builder::to_postgres) for ClickHouse (tested with 26.9).
    /// Lines are loaded by `INSERT INTO t_lines FORMAT LineAsString`. The table is a
    /// `ReplacingMergeTree`, so a report that came twice may be there twice until it is merged: read
    /// `t_current`, or `t` with `FINAL`. Where there are several with one id the first counts.
    ///
    /// # Errors
    ///
    /// Those of [`to_postgres`](Builder::to_postgres); a table may have any number of columns.
    pub fn to_clickhouse(&self, table: &str) -> Result<String, Error> {
        clickhouse(&self.tabled(table)?, table)
    }

    /// The schema, if its reports can be rows of this table.
    fn tabled(&self, table: &str) -> Result<Plan, Error> {
        /// Names of what belongs to a table are longer than its own.
        const LONGEST: usize = 50;
        if table.trim().is_empty() || table.len() > LONGEST || table.chars().any(char::is_control) {
            return Err(Error::config(format!(
                "{table:?} cannot be a table's name: give 1 to {LONGEST} bytes without control characters"
            )));
        }
        if self.bare {
            return Err(Error::config(
                "bare reports have no id, by which a table could know one that comes twice: drop `bare`",
            ));
        }
        Plan::new(self.schema.clone())
    }
}

//! Tables for the reports of a schema, and what loads them.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `whole` | a report with its envelope as one shape, and what is said of each member |
//! | `names` | names that an engine takes, each once |
//! | `columns` | which columns a report becomes |
//! | `postgres` | tables, checks and loading for PostgreSQL |
//! | `postgres_json` | what a line must be for it, and where in it the columns' values are |
//! | `clickhouse` | tables, checks and loading for ClickHouse |
//! | `clickhouse_json` | what a line must be for it, and where in it the columns' values are |

mod clickhouse;
mod clickhouse_json;
mod columns;
mod names;
mod postgres;
mod postgres_json;
mod whole;

pub(crate) use clickhouse::clickhouse;
pub(crate) use postgres::postgres;

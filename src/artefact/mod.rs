//! Documents that are made of the schema, so that they cannot say anything else than what is sent.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `kind` | what each kind of field is to readers and receivers; a new kind is added there |
//! | `shape` | what a value in a report is made of |
//! | `series` | what a labelled series is to them |
//! | `sample` | a report such as it may be |
//! | `words` | intervals, transforms and types in words |
//! | `page` | the page that a product publishes |
//! | `facts` | what the settings say, in its words |
//! | `tables` | its tables of fields |
//! | `envelope` | what is around the data |
//! | `json` | a JSON document whose members keep their order |
//! | `contract` | the JSON Schema of a report, and of events |
//! | `sql` | tables for the reports, and what loads them |
//! | `known` | what a contract says, read back |
//! | `changes` | what differs between two of them, and whether a receiver can bear it |
//! | `current` | whether a file that was committed is what is generated now |

mod changes;
mod contract;
mod current;
mod envelope;
mod facts;
mod json;
mod kind;
mod known;
mod page;
mod sample;
mod series;
mod shape;
mod sql;
mod tables;
mod words;

pub use changes::Changes;
pub(crate) use contract::{contract, events_contract};
pub use current::{check, check_contract};
pub(crate) use envelope::Sort;
pub(crate) use facts::Facts;
pub use page::Page;
pub(crate) use sql::{clickhouse, postgres};

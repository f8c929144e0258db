//! Reports on the disk, so that they outlive the process.
//!
//! The directory that the application names belongs to all processes that are given it. A process
//! has in it, under a random id of its own:
//!
//! | name | what it is |
//! | --- | --- |
//! | `callhome-<process>.lock` | empty; locked from before the next is there until the process ends, however it ends |
//! | `callhome-<process>.spool/` | its reports |
//! | `callhome-<process>.spool/callhome-<report>.report` | one whole report |
//! | `callhome-<process>.spool/callhome-<random>.tmp` | a report that is being written |
//! | `callhome-<random>.aside` | what was found in place of a report |
//!
//! Whoever can lock the lock of a directory that is there knows that its process has ended, and may
//! take its reports over while it holds that lock. What bears other names is not touched.

mod claim;
mod name;
mod record;
mod salvage;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use record::Spooled;
pub(crate) use store::{Found, Spool};

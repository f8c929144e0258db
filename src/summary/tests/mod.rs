//! Tests of the reducer: known answers, and random samples against a naive sort and count.

mod arithmetic;
mod bounds;
mod oracle;
mod properties;
mod vectors;

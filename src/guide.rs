//! Pages about what spans several items. Their code is compiled, and run where it can be.
//!
//! | page | about |
//! | --- | --- |
//! | [`windows`] | when a window ends, and what becomes of its report |
//! | [`numbers`] | which kind of field answers which question, and how near the figures are |
//! | [`switch`] | who may say no, and how |
//! | [`embedding`] | threads, tokio, a Prometheus recorder, command-line tools, fork |
//! | [`performance`] | what recording costs, and how that is measured |
//! | [`replace`] | from a reporter that was written by hand to a schema, step by step |
//! | [`porting`] | from Electric, Grafana's `usagestats`, OpenTelemetry and Segment-style code |
#![cfg_attr(feature = "testing", doc = "| [`testing`] | tests of telemetry |")]

#[doc = include_str!("../docs/guide/windows.md")]
#[doc = include_str!("../docs/guide/arrivals.svg")]
pub mod windows {}

#[doc = include_str!("../docs/guide/numbers.md")]
#[doc = include_str!("../docs/guide/accuracy.svg")]
pub mod numbers {}

#[doc = include_str!("../docs/guide/switch.md")]
pub mod switch {}

#[doc = include_str!("../docs/guide/embedding.md")]
pub mod embedding {}

#[doc = include_str!("../docs/guide/performance.md")]
#[doc = include_str!("../docs/guide/threads.svg")]
pub mod performance {}

#[doc = include_str!("../docs/guide/replace.md")]
pub mod replace {}

#[doc = include_str!("../docs/guide/porting.md")]
pub mod porting {}

#[cfg(feature = "testing")]
#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

//! Pages about what spans several items. Their code is compiled, and run where it can be.

#[cfg(feature = "testing")]
#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

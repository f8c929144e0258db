//! What a function gives for a whole section.

use std::sync::Arc;

use super::fact::Fact;

/// A function that gives the values of a section.
pub(crate) type Fill = Arc<dyn Fn(&mut Values) + Send + Sync>;

/// The values of a section, which the function of
/// [`Schema::filled_by`](crate::Schema::filled_by) gives.
#[derive(Debug, Default)]
pub struct Values(pub(crate) Vec<(String, Fact)>);

impl Values {
    /// Gives the value at `path`: its name in the section, or names joined by dots where it is in a
    /// section within that one, as in `permissions.select`. Of a path that is given twice the later
    /// value counts.
    pub fn set(&mut self, path: impl Into<String>, value: impl Into<Fact>) -> &mut Values {
        self.0.push((path.into(), value.into()));
        self
    }
}

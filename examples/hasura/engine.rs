//! What the engine knows of itself, whether or not it reports it.

use callhome::Values;

use super::names::Described;

/// What is tracked at this moment; the engine changes it as a whole.
#[derive(Clone, Default)]
pub(crate) struct Metadata {
    pub(crate) views: u64,
    pub(crate) tables: u64,
    pub(crate) functions: u64,
    pub(crate) roles: u64,
    /// To delete, insert, select and update.
    pub(crate) permissions: [u64; 4],
    /// Found by themselves, and tracked by hand.
    pub(crate) relationships: [u64; 2],
    pub(crate) event_triggers: u64,
    pub(crate) remote_schemas: u64,
}

/// The settings that are not what they are by themselves: off, and 0.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings {
    pub(crate) on: &'static [&'static str],
    pub(crate) words: &'static [(&'static str, &'static str)],
    pub(crate) counts: &'static [(&'static str, u64)],
}

impl Settings {
    /// Gives the values of these fields.
    pub(crate) fn give(&self, fields: &[Described], values: &mut Values) {
        for &(name, _) in fields {
            let word = self.words.iter().find(|(other, _)| *other == name);
            let count = self.counts.iter().find(|(other, _)| *other == name);
            match (word, count) {
                (Some((_, word)), _) => values.set(name, *word),
                (_, Some((_, count))) => values.set(name, *count),
                _ if name.ends_with("_enabled") => values.set(name, self.on.contains(&name)),
                _ => values.set(name, 0),
            };
        }
    }
}

/// The data sources that are connected.
pub(crate) const CONNECTED: [Settings; 2] = [
    Settings {
        on: &["health_check_enabled"],
        words: &[("backend_type", "postgres")],
        counts: &[("tables", 3)],
    },
    Settings {
        on: &["health_check_enabled"],
        words: &[("backend_type", "mssql")],
        counts: &[("tables", 5)],
    },
];

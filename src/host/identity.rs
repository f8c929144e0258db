//! Who a report comes from: an id per process, and an id per installation.

use std::sync::Arc;

use uuid::Uuid;

use super::id_file::IdFile;

/// A new random id (UUID version 4), for one instance of the process.
pub(crate) fn new_id() -> Uuid {
    Uuid::new_v4()
}

/// A function of the application that knows the id: `Ok(None)` where there is none.
pub(crate) type AskId = Arc<dyn Fn() -> Result<Option<String>, ()> + Send + Sync>;

/// Where the id of the installation comes from: the id that several instances share.
#[derive(Clone)]
pub(crate) enum ClusterSource {
    /// The application has said it.
    Given(String),
    /// The application is asked for it, when reporting begins.
    Asked(AskId),
    /// It is kept in a file, which is created at the first start.
    File(IdFile),
    /// Nothing is kept: a new random id at each start.
    Ephemeral,
}

impl ClusterSource {
    /// The source in a word, for a report.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            ClusterSource::Given(_) | ClusterSource::Asked(_) => "given",
            ClusterSource::File(_) => "file",
            ClusterSource::Ephemeral => "ephemeral",
        }
    }
}

/// Where the secret comes from of which the key of sketches is made.
#[derive(Clone)]
pub(crate) enum KeySource {
    /// The application has said it.
    Given(String),
    /// It is kept in a file, which is created at the first start.
    File(IdFile),
    /// Nothing is kept: a new random one at each start.
    Ephemeral,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_differ_and_are_version_4() {
        let (a, b) = (new_id(), new_id());
        assert_ne!(a, b);
        assert_eq!((a.get_version_num(), b.get_version_num()), (4, 4));
    }
}

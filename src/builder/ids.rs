//! The settings of who a report comes from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Builder;
use crate::engine::fault;
use crate::error::Error;
use crate::host::id_file::IdFile;
use crate::host::identity::{ClusterSource, KeySource};

/// The shortest time after which an id is replaced.
const SHORTEST_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);

/// The fewest characters of a secret.
const SHORTEST_SECRET: usize = 16;

/// # Ids
///
/// An id says nothing about a machine or a person, but reports that have the same one come from the
/// same installation: they are pseudonymous, not anonymous. No id leaves that the schema does not
/// declare.
impl Builder {
    /// The id of the installation or cluster, where the application knows one: 1 to 256 characters.
    /// Of this, [`cluster_id_with`](Builder::cluster_id_with) and
    /// [`cluster_id_file`](Builder::cluster_id_file) the last one counts.
    pub fn cluster_id(mut self, id: impl Into<String>) -> Builder {
        self.cluster = ClusterSource::Given(id.into());
        self
    }

    /// A function that knows the id of the installation or cluster: 1 to 256 characters from the
    /// application's own database, for example.
    ///
    /// It is called once by `build` or `install`, on the calling thread, and once whenever reporting
    /// is switched on while the program runs; never when the switch says no. It must not switch
    /// reporting itself. `Ok(None)` means that there is no id: reports have `null`. An error, a
    /// panic and a text that is no id come to the same, with one line in the log that repeats
    /// nothing of it. So an installation never gets another id because its database was away.
    ///
    /// ```
    /// # use callhome::{CallHome, Schema};
    /// # fn select(_: &str) -> Result<Option<String>, std::io::Error> { Ok(Some("4711".into())) }
    /// let schema = Schema::new("shop").cluster_id("cluster").cluster_id_source("cluster_source");
    /// let callhome = CallHome::builder(schema)
    ///     .cluster_id_with(|| select("SELECT id FROM installation"))
    ///     .build()?;
    /// assert_eq!(callhome.preview()["cluster"], "4711");
    /// assert_eq!(callhome.preview()["cluster_source"], "given");
    /// # Ok::<(), callhome::Error>(())
    /// ```
    pub fn cluster_id_with<E>(
        mut self,
        ask: impl Fn() -> Result<Option<String>, E> + Send + Sync + 'static,
    ) -> Builder {
        self.cluster = ClusterSource::Asked(Arc::new(move || ask().map_err(drop)));
        self
    }

    /// Keeps a random id of the installation in this file, private to the user. It is made at the
    /// first start, and replaced only if [`cluster_id_rotates`](Builder::cluster_id_rotates) says
    /// so; a file that cannot be read is an error of `build` and `install`. When the switch says no
    /// the file is neither read nor made, and [`set_enabled(false)`](crate::CallHome::set_enabled)
    /// removes it. Whoever removes it by hand has another id from the next start on.
    pub fn cluster_id_file(mut self, path: impl Into<PathBuf>) -> Builder {
        self.cluster = ClusterSource::File(IdFile::new(path.into()));
        self
    }

    /// Replaces the id in [`cluster_id_file`](Builder::cluster_id_file) by a new one when it is as
    /// old as this, so that reports of one installation can be told to be so for that time only. At
    /// least a day. Default: never.
    ///
    /// It is done before a report is made, at the start or while the program runs. The process gets
    /// a new random id too, which would tell that both are of one installation. Of several
    /// processes with one file one does it, and the others have its id in their next report but
    /// one at the latest. The file says when its id was made, so copying or restoring it does not
    /// make the id younger; one that does not say so is as old as the file. An id from the future
    /// is kept, because the clock is or was wrong. If the file cannot be replaced, reports have the
    /// old id, and one line is logged each time.
    pub fn cluster_id_rotates(mut self, period: Duration) -> Builder {
        self.cluster_id_period = Some(period);
        self
    }

    /// The secret that the nodes of a cluster have in common, of which the key of
    /// [`mergeable`](crate::Schema::mergeable) counts is made: random text, such as from the
    /// application's own database, of 16 characters at least. It is in no report, no line of the
    /// log and no error. Of this and [`distinct_key_file`](Builder::distinct_key_file) the last one
    /// counts; without either the key is a random one for the life of the process.
    ///
    /// The key is made of the secret and of the id of the cluster, so clusters that have the same
    /// secret have nothing else in common. An id that does not last gives a key that does not: say
    /// [`cluster_id`](Builder::cluster_id) or [`cluster_id_file`](Builder::cluster_id_file) too.
    /// Where the id changes the key does, and the window in which it does has no registers. Who
    /// knows the secret can test whether a value was counted, so the receiver must not. Replacing it
    /// ends what can be united.
    pub fn distinct_key(mut self, secret: impl Into<String>) -> Builder {
        self.key = KeySource::Given(secret.into());
        self
    }

    /// Keeps such a secret in this file, private to the user: a random UUID, made at the first start.
    /// It is for an installation of one machine, or for a file system that the nodes share.
    ///
    /// The rules are those of [`cluster_id_file`](Builder::cluster_id_file): a file that cannot be
    /// read is an error of `build` and `install`, when the switch says no it is neither read nor made,
    /// and [`set_enabled(false)`](crate::CallHome::set_enabled) removes it.
    pub fn distinct_key_file(mut self, path: impl Into<PathBuf>) -> Builder {
        self.key = KeySource::File(IdFile::of_key(path.into()));
        self
    }

    /// The id of this process, instead of a random one, 1 to 256 characters; for tests and samples.
    pub fn instance_id(mut self, id: impl Into<String>) -> Builder {
        self.instance = Some(id.into());
        self
    }
}

/// The source of the installation's id, when the settings of ids can be used.
pub(super) fn checked(
    cluster: ClusterSource,
    period: Option<Duration>,
    instance: Option<&str>,
) -> Result<ClusterSource, Error> {
    let given = match &cluster {
        ClusterSource::Given(id) => Some(&**id),
        _ => None,
    };
    for (setting, id) in [("instance_id", instance), ("cluster_id", given)] {
        if let Some(fault) = id.and_then(fault) {
            return Err(Error::config(format!(
                "`{setting}` {fault}: give another or leave it out"
            )));
        }
    }
    match (cluster, period) {
        (cluster, None) => Ok(cluster),
        (_, Some(period)) if period < SHORTEST_PERIOD => {
            Err(Error::config(format!("`cluster_id_rotates` is {period:?}: give a day at least")))
        }
        (ClusterSource::File(file), Some(period)) => Ok(ClusterSource::File(file.rotating(period))),
        (_, Some(_)) => Err(Error::config(
            "`cluster_id_rotates` has no id to replace: give a `cluster_id_file` or leave it out",
        )),
    }
}

/// Checks the secret of the key. It is not shown.
pub(super) fn check_key(key: &KeySource) -> Result<(), Error> {
    match key {
        KeySource::Given(secret) if secret.chars().count() < SHORTEST_SECRET => {
            Err(Error::config(format!(
                "`distinct_key` has fewer than {SHORTEST_SECRET} characters: give a random text that nobody can guess"
            )))
        }
        _ => Ok(()),
    }
}

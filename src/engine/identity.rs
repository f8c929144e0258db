//! The facts about the machine and the process that fields may ask for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::secret::Secret;
use crate::cell::Key;
use crate::clock::Moment;
use crate::error::Error;
use crate::guard::caught;
use crate::host::HostFacts;
use crate::host::id_file::{IdFile, Kept};
use crate::host::identity::{ClusterSource, KeySource, new_id};
use crate::schema::{Fact, Host};
use crate::window::Reading;

/// The facts that fields may ask for.
pub(crate) struct Identity {
    /// Found out when it is first asked for, unless it was given.
    host: Arc<OnceLock<HostFacts>>,
    /// The id that the application gave the process.
    given: Option<String>,
    shared: Arc<Shared>,
    /// The ids are those of the report it is attached to, which looks after them while it collects.
    pub(super) is_guest: bool,
    /// Of which the key of sketches is made.
    secret: Arc<Secret>,
    /// The secret is that of the report it is attached to.
    is_attached: bool,
    /// The CI system that the process runs in, unless the policy is to say nothing about it.
    ci: Option<&'static str>,
    started: Moment,
}

/// The ids, which reports of one process share, unless they have an id of the installation of their
/// own.
struct Shared {
    source: ClusterSource,
    ids: Mutex<Ids>,
    /// The report that it was made for collects, and looks after the ids for all that share them.
    /// Written by that one under its `sealing`, and by its end; read by the others. It publishes
    /// nothing.
    owned: AtomicBool,
}

struct Ids {
    instance: String,
    /// `None` where the application knows none.
    cluster: Option<String>,
    /// What the file held last.
    kept: Option<Kept>,
    /// The id of the installation was found, and not forgotten since.
    found: bool,
}

/// What is so at one moment: a report must not say an id beside a sketch of another one's key.
pub(crate) struct Said {
    instance: String,
    cluster: Option<String>,
    /// The key of sketches, while anything is collected.
    pub(super) key: Option<Key>,
}

/// Why an id cannot be one, if so.
pub(crate) fn fault(id: &str) -> Option<String> {
    let length = id.chars().count();
    if id.trim().is_empty() {
        Some("is empty".to_owned())
    } else if length > Fact::LONGEST_TEXT {
        Some(format!("has {length} characters, more than {}", Fact::LONGEST_TEXT))
    } else {
        None
    }
}

impl Shared {
    fn new(source: ClusterSource) -> Shared {
        let ids = Ids {
            instance: new_id().to_string(),
            cluster: Some(new_id().to_string()),
            kept: None,
            found: false,
        };
        Shared { source, ids: Mutex::new(ids), owned: AtomicBool::default() }
    }
}

impl Identity {
    /// Before anything was found out: the ids are those of nobody. What is not given is shared with
    /// the report that this one is attached `to`.
    pub(crate) fn new(
        to: Option<&Identity>,
        host: Option<HostFacts>,
        given: Option<String>,
        (source, key): (ClusterSource, KeySource),
        ci: Option<&'static str>,
        started: Moment,
    ) -> Identity {
        let own = host.map(|host| Arc::new(OnceLock::from(host)));
        let host = own.or_else(|| to.map(|to| Arc::clone(&to.host))).unwrap_or_default();
        let guest_of = to.filter(|_| matches!(source, ClusterSource::Ephemeral));
        let given = given.or_else(|| guest_of.and_then(|to| to.given.clone()));
        let shared = guest_of.map(|to| Arc::clone(&to.shared));
        let shared = shared.unwrap_or_else(|| Arc::new(Shared::new(source)));
        let secret = to.map(|to| Arc::clone(&to.secret));
        let (is_guest, is_attached) = (guest_of.is_some(), secret.is_some());
        let secret = secret.unwrap_or_else(|| Arc::new(Secret::new(key)));
        Identity { host, given, shared, is_guest, secret, is_attached, ci, started }
    }

    /// When the process began, for those that have the same clock.
    pub(crate) fn started(&self) -> Moment {
        self.started
    }

    /// Asks the application for the id of the installation, if it is the one to know. It may take
    /// its time and panic; no lock is held. `note` is given what the log is to be told.
    pub(super) fn ask(&self, note: impl FnOnce(String)) -> Option<String> {
        let ClusterSource::Asked(ask) = &self.shared.source else { return None };
        let trouble = match caught(|| ask()) {
            Some(Ok(None)) => return None,
            Some(Ok(Some(id))) => match fault(&id) {
                None => return Some(id),
                Some(fault) => fault,
            },
            Some(Err(())) => "could not be asked for".to_owned(),
            None => "could not be asked for, the function panicked".to_owned(),
        };
        // What the function says may hold the password of a database.
        note(format!("the cluster id {trouble}: telemetry reports have none"));
        None
    }

    /// Finds the id of the installation: the one that the application was
    /// [asked](Identity::ask) for, or where it is kept, or a new one.
    pub(super) fn find(&self, asked: Option<String>, now: Moment) -> Result<(), Error> {
        let mut ids = self.shared.ids.lock();
        ids.cluster = match &self.shared.source {
            ClusterSource::Given(id) => Some(id.clone()),
            ClusterSource::Asked(_) => asked,
            ClusterSource::File(file) => {
                let kept = file.find(now.wall)?;
                ids.kept = Some(kept);
                Some(kept.id.to_string())
            }
            ClusterSource::Ephemeral => Some(new_id().to_string()),
        };
        ids.found = true;
        Ok(())
    }

    /// Finds the secret of sketches where it is kept, or makes one.
    pub(super) fn find_secret(&self, now: Moment) -> Result<(), Error> {
        self.secret.find(now)
    }

    /// Where the id of the installation is kept, if in a file.
    pub(super) fn file(&self) -> Option<&IdFile> {
        match &self.shared.source {
            ClusterSource::File(file) => Some(file),
            _ => None,
        }
    }

    pub(super) fn is_found(&self) -> bool {
        self.shared.ids.lock().found
    }

    /// Whether nobody is asked for the id, no file and not the application, and it is that of no
    /// other report.
    pub(super) fn is_at_hand(&self) -> bool {
        let is_known =
            matches!(self.shared.source, ClusterSource::Given(_) | ClusterSource::Ephemeral);
        is_known && !self.is_guest
    }

    /// The same of the secret.
    pub(super) fn has_secret_at_hand(&self) -> bool {
        !self.secret.is_kept() && !self.is_attached
    }

    /// Whether the ids are its own, or those of a report that does not collect.
    pub(super) fn looks_after_ids(&self) -> bool {
        !self.is_guest || !self.shared.owned.load(Ordering::Relaxed)
    }

    /// Whether the secret was made for it, or for a report that does not collect.
    pub(super) fn looks_after_secret(&self) -> bool {
        !self.is_attached || !self.secret.is_owned()
    }

    /// Whether it looks after what is its own, or those that share it do.
    pub(super) fn own(&self, owned: bool) {
        if !self.is_guest {
            self.shared.owned.store(owned, Ordering::Relaxed);
        }
        if !self.is_attached {
            self.secret.own(owned);
        }
    }

    /// Whether the id of the installation is to be replaced.
    pub(crate) fn is_old(&self, now: Moment) -> bool {
        let kept = self.shared.ids.lock().kept;
        match (&self.shared.source, kept) {
            (ClusterSource::File(file), Some(kept)) => file.is_old(&kept, now.wall),
            _ => false,
        }
    }

    /// Whether the id of the installation outlives the process.
    pub(super) fn is_lasting(&self) -> bool {
        !matches!(self.shared.source, ClusterSource::Ephemeral)
    }

    /// Replaces the id of the installation if it is old, and that of the process, which would tell
    /// whose the new one is.
    ///
    /// # Errors
    ///
    /// When that cannot be done; the id stays as it is.
    pub(crate) fn renew(&self, now: Moment) -> Result<(), Error> {
        let ClusterSource::File(file) = &self.shared.source else { return Ok(()) };
        let kept = file.renew(now.wall)?;
        let mut ids = self.shared.ids.lock();
        let cluster = Some(kept.id.to_string());
        if ids.cluster != cluster {
            ids.instance = new_id().to_string();
        }
        ids.cluster = cluster;
        ids.kept = Some(kept);
        Ok(())
    }

    /// Removes the id of the installation where it is kept, and the ids that reports had: whoever
    /// comes later is somebody else.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        let mut ids = self.shared.ids.lock();
        ids.cluster = Some(new_id().to_string());
        ids.kept = None;
        ids.found = false;
        ids.instance = new_id().to_string();
        match &self.shared.source {
            ClusterSource::File(file) => file.remove(),
            _ => Ok(()),
        }
    }

    /// The same of the secret.
    pub(super) fn forget_secret(&self) -> Result<(), Error> {
        self.secret.forget()
    }

    /// The id of this process.
    pub(crate) fn instance(&self) -> String {
        self.said().instance
    }

    /// The ids, and the key that belongs to them. Where the application knows no cluster it is that
    /// of the process.
    pub(super) fn said(&self) -> Said {
        let ids = self.shared.ids.lock();
        let cluster = ids.cluster.clone();
        let key = self.secret.key_of(cluster.as_deref().unwrap_or(&ids.instance));
        Said { instance: self.given.clone().unwrap_or_else(|| ids.instance.clone()), cluster, key }
    }

    /// The id of the installation if it outlives the process, or else that of the process.
    pub(super) fn lasting(&self) -> String {
        let cluster = self.shared.ids.lock().cluster.clone();
        cluster.filter(|_| self.is_lasting()).unwrap_or_else(|| self.instance())
    }

    /// A fact at this moment. The first window has begun at `since`.
    pub(super) fn fact(&self, said: &Said, fact: Host, since: Moment, now: Moment) -> Reading {
        let machine = || self.host.get_or_init(HostFacts::detect);
        Reading::Fact(match fact {
            Host::Arch => Fact::text(&*machine().arch),
            Host::Cores => machine().cores.into(),
            Host::Os => {
                let [family, name] =
                    [&machine().os_family, &machine().os_name].map(|text| Fact::text(&**text));
                return Reading::Os { family, name };
            }
            Host::Ram => machine().ram.into(),
            Host::Uptime => now.monotonic.saturating_sub(self.started.monotonic).as_secs().into(),
            Host::InstanceId => Fact::text(&*said.instance),
            Host::ClusterId => said.cluster.as_deref().map_or(Fact::NULL, Fact::text),
            Host::ClusterIdSource => {
                said.cluster.as_ref().map(|_| self.shared.source.word()).into()
            }
            Host::StartedAt => since.wall.into(),
            Host::Ci => {
                let given = self.host.get().and_then(|host| host.ci.as_deref());
                given.map_or_else(|| self.ci.into(), Fact::text)
            }
        })
    }
}

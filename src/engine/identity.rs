//! The facts about the machine and the process that fields may ask for.

use std::sync::OnceLock;

use parking_lot::Mutex;

use crate::clock::Moment;
use crate::error::Error;
use crate::host::HostFacts;
use crate::host::identity::{ClusterSource, forget, new_id, resolve};
use crate::schema::{Fact, Host};
use crate::window::Reading;

/// The facts that fields may ask for.
pub(crate) struct Identity {
    /// Found out when it is first asked for, unless it was given.
    host: OnceLock<HostFacts>,
    /// The id that the application gave the process.
    given: Option<String>,
    source: ClusterSource,
    ids: Mutex<Ids>,
    /// The CI system that the process runs in, unless the policy is to say nothing about it.
    ci: Option<&'static str>,
    started: Moment,
}

struct Ids {
    instance: String,
    cluster: String,
}

impl Identity {
    /// Before anything was found out: the ids are those of nobody.
    pub(crate) fn new(
        host: Option<HostFacts>,
        given: Option<String>,
        source: ClusterSource,
        ci: Option<&'static str>,
        started: Moment,
    ) -> Identity {
        let ids = Ids {
            instance: given.clone().unwrap_or_else(|| new_id().to_string()),
            cluster: new_id().to_string(),
        };
        let host = host.map_or_else(OnceLock::new, OnceLock::from);
        Identity { host, given, source, ids: Mutex::new(ids), ci, started }
    }

    /// Reads the id of the installation where it is kept, or makes it.
    pub(crate) fn find(&self) -> Result<(), Error> {
        let cluster = resolve(&self.source)?;
        self.ids.lock().cluster = cluster;
        Ok(())
    }

    /// Removes the id of the installation where it is kept, and the ids that reports had: whoever
    /// comes later is somebody else.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        let mut ids = self.ids.lock();
        ids.cluster = new_id().to_string();
        ids.instance = self.given.clone().unwrap_or_else(|| new_id().to_string());
        forget(&self.source)
    }

    /// The id of this process.
    pub(crate) fn instance(&self) -> String {
        self.ids.lock().instance.clone()
    }

    /// A fact at this moment.
    pub(super) fn fact(&self, fact: Host, now: Moment) -> Reading {
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
            Host::InstanceId => Fact::text(self.instance()),
            Host::ClusterId => Fact::text(&*self.ids.lock().cluster),
            Host::Ci => self.ci.into(),
        })
    }
}

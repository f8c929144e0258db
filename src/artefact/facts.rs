//! What the settings say, in the words of the page.

use std::path::PathBuf;
use std::time::Duration;

use super::envelope::Sort;
use super::words::interval;
use crate::delivery::{Batching, Shape};
use crate::host::identity::{ClusterSource, KeySource};
use crate::schema::{Host, Kind, Plan};

/// What the builder knows and the page tells.
pub(crate) struct Facts {
    pub(crate) first: Duration,
    pub(crate) every: Duration,
    pub(crate) spread: Duration,
    pub(crate) age: Duration,
    /// How many bytes a report may have.
    pub(crate) most: usize,
    /// How events are sent together.
    pub(crate) batching: Batching,
    /// The sink's name for itself, and whether it is on this machine.
    pub(crate) sink: (String, bool),
    pub(crate) is_spooled: bool,
    pub(crate) bare: bool,
    pub(crate) cluster: ClusterSource,
    pub(crate) is_instance_given: bool,
    /// Of which the key of sketches is made.
    pub(crate) key: KeySource,
    /// The rules of the switch.
    pub(crate) switch: String,
    /// A variable that takes the word `local`.
    pub(crate) variable: Option<String>,
    pub(crate) local_file: Option<PathBuf>,
}

impl Facts {
    /// How often reports are made.
    pub(super) fn when(&self) -> String {
        let first = match self.first.is_zero() {
            true => "at the start".to_owned(),
            false => format!("{} after the start", interval(self.first)),
        };
        let every = interval(self.every);
        let every = every.strip_prefix("1 ").unwrap_or(&every);
        let mut text = format!("The first report is made {first}, and then one every {every}.");
        if !self.spread.is_zero() {
            let spread = interval(self.spread);
            text.push_str(&format!(
                " Each instance is later than that by some share of {spread}, so that they do not \
                 all report at once."
            ));
        }
        text.push_str(" The last one is made when the program ends. ");
        text + &self.kept(Sort::Report)
    }

    /// What a report leaves out to be no larger than it may be, if it has anything for that.
    pub(super) fn left_out(&self, plan: &Plan) -> Option<String> {
        let keys = plan.detail_keys();
        let keys = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>();
        let order = match &*keys {
            [] => return None,
            [one] => one.clone(),
            some => format!("all {}", some.join(", then ")),
        };
        let counted = if self.bare { "" } else { ", and `losses` counts it as `dropped_details`" };
        Some(format!(
            "A report has {} bytes at most, before compression. Where it would have more, as much of \
             the following is left out as has to be: {order}, that of the last field first. Null is \
             in its place{counted}. Nothing else is ever left out.",
            self.most
        ))
    }

    /// When events are sent.
    pub(super) fn when_it_happens(&self) -> String {
        let Batching { shape, most, within, waiting } = self.batching;
        let shape = match shape {
            Shape::Single => "",
            Shape::Array => ", as one JSON array",
            Shape::Lines => ", one to a line",
        };
        let text = match most {
            1 => format!("An event is sent when it happens{shape}."),
            _ if within.is_zero() => {
                format!(
                    "Events that are there at the same time are sent together{shape}, {most} at most."
                )
            }
            _ => format!(
                "Events are sent together{shape}: as soon as there are {most}, {} after the first \
                 of them, or when the program ends.",
                interval(within)
            ),
        };
        format!(
            "{text} {} Of more than {waiting} that wait in memory the oldest are given up.",
            self.kept(Sort::Event)
        )
    }

    fn kept(&self, sort: Sort) -> String {
        let what = sort.word();
        let kept = if self.is_spooled { "on disk" } else { "in memory" };
        let age = interval(self.age);
        format!(
            "{what} that cannot be delivered is kept {kept} for {age} at most, and tried again."
        )
    }

    /// Who receives them.
    pub(super) fn where_to(&self, sort: Sort) -> String {
        let (sink, is_local) = &self.sink;
        let (what, all) = (sort.noun(), sort.all());
        match is_local {
            true => format!("{all} go to `{sink}`, and do not leave the machine."),
            false => format!(
                "{all} are sent to `{sink}`. As with any request, the receiver sees the network \
                 address that it comes from; the address is not part of the {what}."
            ),
        }
    }

    /// Which fields are ids, and of what.
    pub(super) fn identity(&self, plans: &[&Plan], sort: Sort) -> String {
        let fields = |host: Host| {
            let is_host = |kind: &Kind| matches!(kind, Kind::Host(other) if *other == host);
            let leaves =
                plans.iter().flat_map(|plan| plan.leaves.iter().map(move |leaf| (plan, leaf)));
            let leaves = leaves.filter(|(_, leaf)| is_host(&leaf.field.kind));
            let names = leaves.map(|(plan, leaf)| match sort {
                Sort::Report => format!("`{}`", leaf.path),
                Sort::Event => format!("`{}` of `{}`", leaf.path, plan.name),
            });
            names.collect::<Vec<_>>().join(", ")
        };
        let mut lines = Vec::new();
        let (instance, cluster) = (fields(Host::InstanceId), fields(Host::ClusterId));
        let around = if self.bare { "" } else { ", and in the envelope" };
        if !instance.is_empty() {
            let rotates = match &self.cluster {
                ClusterSource::File(file) => file.period().is_some(),
                _ => false,
            };
            let origin = match (self.is_instance_given, rotates) {
                (true, _) => "an id of the process that the program knows",
                (false, false) => "a random id of the process, new at every start",
                (false, true) => {
                    "a random id of the process, new at every start and with every id of the installation"
                }
            };
            lines.push(format!("- {instance}{around}: {origin}."));
        }
        if !cluster.is_empty() {
            let origin = match &self.cluster {
                ClusterSource::Given(_) | ClusterSource::Asked(_) => {
                    "an id of the installation that the program knows.".into()
                }
                ClusterSource::File(file) => format!(
                    "a random id of the installation, kept in `{}`{}. Remove the file, and the \
                     next start makes another.",
                    file.path().display(),
                    file.period()
                        .map(|period| format!(", and replaced after {}", interval(period)))
                        .unwrap_or_default()
                ),
                ClusterSource::Ephemeral => "a random id, new at every start.".to_owned(),
            };
            let around = if matches!(self.cluster, ClusterSource::Ephemeral) { "" } else { around };
            lines.push(format!("- {cluster}{around}: {origin}"));
        }
        let has_ids = !lines.is_empty();
        let mergeable = plans.iter().flat_map(|plan| &plan.leaves);
        let mergeable = mergeable.filter(|leaf| leaf.field.mergeable);
        let mergeable: Vec<String> = mergeable.map(|leaf| format!("`{}`", leaf.path)).collect();
        if !mergeable.is_empty() {
            lines.push(self.sketches(&mergeable.join(", ")));
        }
        if !has_ids {
            let what = sort.word().to_lowercase();
            lines.push(format!("- No field of {what} is an id of the installation or process."));
        }
        let is_together = sort == Sort::Event && self.bare && self.batching.most > 1;
        lines.push(match is_together {
            true => "- What is sent together has one random id, by which the receiver knows what \
                     arrives twice."
                .to_owned(),
            false => format!(
                "- Each {} has a random id of its own, by which the receiver knows one that \
                 arrives twice.",
                sort.noun()
            ),
        });
        lines.join("\n")
    }

    /// What these fields give up for being mergeable.
    fn sketches(&self, fields: &str) -> String {
        let lasts = match &self.cluster {
            ClusterSource::Ephemeral => ", which is another at every start",
            _ => "",
        };
        let secret = match &self.key {
            KeySource::Given(_) => "a secret that the program knows".to_owned(),
            KeySource::File(file) => {
                format!("a secret that is kept in `{}`", file.path().display())
            }
            KeySource::Ephemeral => "a random secret, new at every start".to_owned(),
        };
        format!(
            "- {fields}: beside the number of different values there are `registers`, a sketch of \
             the values from which none can be read. It lets the numbers of several reports of one \
             installation be united, so that a value in two of them counts once. It is made with a \
             key: that comes of {secret}, and of the id of the installation{lasts}. Whoever has the \
             key can test whether a value that they think of was counted. The receiver does not \
             have it, and can see, where a report counted few, that the same unknown value was \
             counted in another report of this installation too. No value can be linked to what \
             another installation counts."
        )
    }
}

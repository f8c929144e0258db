//! The page that a product publishes about its reports.

use std::path::PathBuf;
use std::time::Duration;

use super::envelope::Sort;
use super::sample::sample;
use super::tables;
use super::words::interval;
use crate::delivery::Batching;
use crate::error::Error;
use crate::host::identity::ClusterSource;
use crate::report::{Form, Report};
use crate::schema::{Host, Kind, Plan};

/// What the maintainers say on the page that [`Builder::to_markdown`](crate::Builder::to_markdown)
/// writes; all else on it is generated. Texts are Markdown, and stand on the page as they are given.
///
/// ```
/// use callhome::{CallHome, Page, Schema, sink::MemorySink};
///
/// let schema = Schema::new("shop").strict().counter("orders").describe("Orders placed");
/// let builder = CallHome::builder(schema).sink(MemorySink::new()).opt_out().switch("SHOP_TELEMETRY");
/// let page = Page::new("Shop")
///     .why("The reports tell us which version is in use, and where it is slow.")
///     .retention("Reports are deleted after 13 months.");
/// let text = builder.to_markdown(&page)?;
/// assert!(text.contains("`SHOP_TELEMETRY=off`"));
/// # Ok::<(), callhome::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Page {
    product: String,
    why: String,
    retention: String,
    sent_to: Option<String>,
    identity: Option<String>,
    contact: Option<String>,
    never: Vec<String>,
    see: Vec<String>,
}

impl Page {
    /// A page about this product. [`why`](Page::why) and [`retention`](Page::retention) have to be
    /// said too.
    pub fn new(product: impl Into<String>) -> Page {
        Page { product: product.into(), ..Page::default() }
    }

    /// What the reports are for.
    pub fn why(mut self, text: impl Into<String>) -> Page {
        self.why = text.into();
        self
    }

    /// How long reports are kept, and who can read them.
    pub fn retention(mut self, text: impl Into<String>) -> Page {
        self.retention = text.into();
        self
    }

    /// Who receives the reports, beside the name of the sink.
    pub fn sent_to(mut self, text: impl Into<String>) -> Page {
        self.sent_to = Some(text.into());
        self
    }

    /// What the ids are, beside what the schema tells of them.
    pub fn identity(mut self, text: impl Into<String>) -> Page {
        self.identity = Some(text.into());
        self
    }

    /// Whom to ask, and who deletes reports on request.
    pub fn contact(mut self, text: impl Into<String>) -> Page {
        self.contact = Some(text.into());
        self
    }

    /// Something that is never sent; may be said more than once.
    pub fn never(mut self, text: impl Into<String>) -> Page {
        self.never.push(text.into());
        self
    }

    /// A way to see the reports; may be said more than once.
    pub fn see(mut self, text: impl Into<String>) -> Page {
        self.see.push(text.into());
        self
    }

    /// The page about a report, or about events, of which there may be several kinds.
    pub(crate) fn render(
        &self,
        plans: &[Plan],
        sort: Sort,
        facts: &Facts,
    ) -> Result<String, Error> {
        for (name, text) in [("why", &self.why), ("retention", &self.retention)] {
            if text.trim().is_empty() {
                return Err(Error::config(format!("the page has no `{name}`: say it")));
            }
        }
        let is_lasting = !matches!(facts.cluster, ClusterSource::Ephemeral);
        // The page would be stale with each version of the crate.
        let form = Form { library: "callhome/0.1.0", ..Form::new(facts.bare, is_lasting) };
        let samples = plans.iter().map(|plan| sample(plan, form, facts.every, sort));
        let samples = samples.collect::<Result<Vec<Report>, Error>>()?;
        let mut parts = vec![
            format!("# Telemetry of {}", self.product),
            "<!-- Generated from the code. To write it anew, run its test with CALLHOME_BLESS=1. -->"
                .to_owned(),
            "## Why".to_owned(),
            self.why.clone(),
            "## What is sent".to_owned(),
            match sort {
                Sort::Report => {
                    "Each report has these fields and no others. Counters, summaries and numbers \
                     of different values are those of the time since the report before."
                }
                Sort::Event => {
                    "An event is a report of one thing that happened. There are these kinds; each \
                     has the fields of its tables and no others."
                }
            }
            .to_owned(),
        ];
        let mut leaves = plans.iter().flat_map(|plan| &plan.leaves);
        if leaves.any(|leaf| is_summary(&leaf.field.kind)) {
            parts.push(
                "A summary says of many values only the figures that its type names. Where there \
                 were none, `mode` is null and the others are 0."
                    .to_owned(),
            );
        }
        for (plan, sample) in plans.iter().zip(&samples) {
            parts.extend(tables::fields(plan, sample, sort)?);
        }
        if !facts.bare {
            parts.push("### Around it".to_owned());
            parts.push(tables::envelope(plans, &samples, sort));
        }
        parts.push("## How often".to_owned());
        parts.push(match sort {
            Sort::Report => facts.when(),
            Sort::Event => facts.when_it_happens(),
        });
        parts.push("## Where it is sent".to_owned());
        parts.extend(self.sent_to.clone());
        parts.push(facts.where_to());
        parts.push("## What is never sent".to_owned());
        parts.push(self.never_sent(plans));
        parts.push("## How to see it".to_owned());
        parts.push(self.how_to_see(facts));
        parts.push("## How to switch it off".to_owned());
        parts.push(facts.switch.trim_end().to_owned());
        parts.push("## Identity".to_owned());
        parts.push(facts.identity(plans, sort));
        parts.extend(self.identity.clone());
        parts.push("## How long it is kept".to_owned());
        parts.push(self.retention.clone());
        if let Some(contact) = &self.contact {
            parts.push("## Contact".to_owned());
            parts.push(contact.clone());
        }
        parts.push("## A sample".to_owned());
        let samples = samples.iter().map(|sample| format!("```json\n{}\n```", sample.pretty()));
        parts.extend(samples);
        Ok(parts.iter().map(|part| part.trim()).collect::<Vec<_>>().join("\n\n") + "\n")
    }

    fn never_sent(&self, plans: &[Plan]) -> String {
        let mut items = self.never.clone();
        items.push(
            "Anything else that is not in the tables above: what is not declared there cannot \
             leave the program."
                .to_owned(),
        );
        let distinct: Vec<String> = plans
            .iter()
            .flat_map(|plan| &plan.leaves)
            .filter(|leaf| matches!(leaf.field.kind, Kind::Distinct { .. }))
            .map(|leaf| format!("`{}`", leaf.path))
            .collect();
        if !distinct.is_empty() {
            items.push(format!(
                "What is counted in {}: values are hashed with a secret key as they arrive, \
                 and only the number of different ones is sent.",
                distinct.join(", ")
            ));
        }
        items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
    }

    fn how_to_see(&self, facts: &Facts) -> String {
        let mut items = self.see.clone();
        if let Some(variable) = &facts.variable {
            let to = match &facts.local_file {
                Some(path) => format!("to the file `{}`", path.display()),
                None => "to the program's log, at the level `info`".to_owned(),
            };
            items.push(format!(
                "With `{variable}=local` in the environment the very reports are written {to}, \
                 and none is sent."
            ));
        }
        items.push("The sample at the end of this page has the form of every report.".to_owned());
        items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
    }
}

/// Whether a field of this kind says figures rather than a value.
fn is_summary(kind: &Kind) -> bool {
    matches!(kind, Kind::Summary | Kind::GaugeSummary | Kind::Sampled(_))
}

/// What the builder knows and the page tells.
pub(crate) struct Facts {
    pub(crate) first: Duration,
    pub(crate) every: Duration,
    pub(crate) spread: Duration,
    pub(crate) age: Duration,
    /// How events are sent together.
    pub(crate) batching: Batching,
    /// The sink's name for itself, and whether it is on this machine.
    pub(crate) sink: (String, bool),
    pub(crate) is_spooled: bool,
    pub(crate) bare: bool,
    pub(crate) cluster: ClusterSource,
    pub(crate) is_instance_given: bool,
    /// The rules of the switch.
    pub(crate) switch: String,
    /// A variable that takes the word `local`.
    pub(crate) variable: Option<String>,
    pub(crate) local_file: Option<PathBuf>,
}

impl Facts {
    fn when(&self) -> String {
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
        text + &self.kept()
    }

    /// The same of events.
    fn when_it_happens(&self) -> String {
        let Batching { most, within, .. } = self.batching;
        let text = match most {
            1 => "An event is sent when it happens. ".to_owned(),
            _ => format!(
                "Events are sent together: when there are {most}, {} after the first of them, or \
                 when the program ends. ",
                interval(within)
            ),
        };
        text + &self.kept()
    }

    fn kept(&self) -> String {
        let kept = if self.is_spooled { "on disk" } else { "in memory" };
        let age = interval(self.age);
        format!(
            "A report that cannot be delivered is kept {kept} for {age} at most, and tried again."
        )
    }

    fn where_to(&self) -> String {
        let (sink, is_local) = &self.sink;
        match is_local {
            true => format!("Reports go to `{sink}`, and do not leave the machine."),
            false => format!(
                "Reports are sent to `{sink}`. As with any request, the receiver sees the network \
                 address that it comes from; the address is not part of the report."
            ),
        }
    }

    fn identity(&self, plans: &[Plan], sort: Sort) -> String {
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
        if lines.is_empty() {
            lines
                .push("- No field of a report is an id of the installation or process.".to_owned());
        }
        lines.push(
            "- Each report has a random id of its own, by which the receiver knows one that \
             arrives twice."
                .to_owned(),
        );
        lines.join("\n")
    }
}

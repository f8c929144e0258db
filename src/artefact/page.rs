//! The page that a product publishes about its reports.

use super::envelope::Sort;
use super::facts::Facts;
use super::sample::sample;
use super::tables;
use crate::error::Error;
use crate::host::identity::ClusterSource;
use crate::report::{Form, Report};
use crate::schema::{Kind, Plan};

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
        plans: &[&Plan],
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
        if sort == Sort::Report {
            parts.extend(plans.iter().filter_map(|plan| facts.left_out(plan)));
        }
        if !facts.bare {
            parts.push("### Around it".to_owned());
            parts.push(tables::envelope(plans, &samples, sort));
        }
        let (heading, when) = match sort {
            Sort::Report => ("## How often", facts.when()),
            Sort::Event => ("## When", facts.when_it_happens()),
        };
        parts.push(heading.to_owned());
        parts.push(when);
        parts.push("## Where it is sent".to_owned());
        parts.extend(self.sent_to.clone());
        parts.push(facts.where_to(sort));
        parts.push("## What is never sent".to_owned());
        parts.push(self.never_sent(plans));
        parts.push("## How to see it".to_owned());
        parts.push(self.how_to_see(facts, sort));
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
        for (plan, sample) in plans.iter().zip(&samples) {
            if sort == Sort::Event {
                parts.push(format!("Of the event `{}`:", plan.name));
            }
            parts.push(format!("```json\n{}\n```", sample.pretty()));
        }
        Ok(parts.iter().map(|part| part.trim()).collect::<Vec<_>>().join("\n\n") + "\n")
    }

    fn never_sent(&self, plans: &[&Plan]) -> String {
        let mut items = self.never.clone();
        items.push(
            "Anything else that is not in the tables above: what is not declared there cannot \
             leave the program."
                .to_owned(),
        );
        let distinct = |mergeable: bool| {
            let leaves = plans.iter().flat_map(|plan| &plan.leaves).filter(move |leaf| {
                let field = &leaf.field;
                matches!(field.kind, Kind::Distinct { .. }) && field.mergeable == mergeable
            });
            leaves.map(|leaf| format!("`{}`", leaf.path)).collect::<Vec<_>>().join(", ")
        };
        let (plain, mergeable) = (distinct(false), distinct(true));
        if !plain.is_empty() {
            items.push(format!(
                "What is counted in {plain}: values are hashed with a secret key as they arrive, \
                 and only the number of different ones is sent."
            ));
        }
        if !mergeable.is_empty() {
            items.push(format!(
                "What is counted in {mergeable}: values are hashed as they arrive. What is sent \
                 besides the number of different ones stands under \"Identity\"."
            ));
        }
        items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
    }

    fn how_to_see(&self, facts: &Facts, sort: Sort) -> String {
        let mut items = self.see.clone();
        if let Some(variable) = &facts.variable {
            let to = match &facts.local_file {
                Some(path) => format!("to the file `{}`", path.display()),
                None => "to the program's log, at the level `info`".to_owned(),
            };
            items.push(format!(
                "With `{variable}=local` in the environment the very {}s are written {to}, and none \
                 is sent.",
                sort.noun()
            ));
        }
        let of = if sort == Sort::Event { " of its kind" } else { "" };
        items.push(format!(
            "The sample at the end of this page has the form of every {}{of}.",
            sort.noun()
        ));
        items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
    }
}

/// Whether a field of this kind says figures rather than a value.
fn is_summary(kind: &Kind) -> bool {
    matches!(kind, Kind::Summary | Kind::GaugeSummary | Kind::Sampled(_))
}

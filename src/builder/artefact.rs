//! What is generated from the settings.

use super::Builder;
use crate::artefact::{Facts, Page, Sort, contract};
use crate::error::{Error, ErrorKind};
use crate::schema::Plan;

/// # Documents
impl Builder {
    /// The page about the reports that a product publishes, in Markdown, made of these settings and
    /// what the maintainers say: why, what (a table for each section), how often, where to, what is
    /// never sent, how to see it, how to switch it off, identity, for how long it is kept, and a
    /// sample. It depends on nothing else, so that a test can compare it to a committed file, see
    /// [`assert_page_current!`](crate::assert_page_current).
    ///
    /// Of a builder of [events](Builder::event) it is the page about those.
    ///
    /// Give it the settings that the product is installed with. Reads and makes no file, and asks no
    /// function of the schema: facts show their [`example`](crate::Schema::example).
    ///
    /// # Errors
    ///
    /// Those of [`build`](Builder::build) for the schema, the endpoint and the default;
    /// [`ErrorKind::Schema`] for an example that is not of its field's
    /// type, [`ErrorKind::Config`] without an endpoint or sink, and for a
    /// page without [`why`](Page::why) or [`retention`](Page::retention).
    pub fn to_markdown(&self, page: &Page) -> Result<String, Error> {
        let (plans, sort) = match self.events.is_empty() {
            true => (vec![Plan::new(self.schema.clone())?], Sort::Report),
            false => {
                let plans = self.events.iter().cloned().map(Plan::of_event);
                (plans.collect::<Result<Vec<Plan>, Error>>()?, Sort::Event)
            }
        };
        let sink = match &self.sink {
            Some(Ok(sink)) => (sink.describe(), sink.is_local()),
            Some(Err(error)) => return Err(Error::new(error.kind(), error.to_string())),
            None => {
                return Err(Error::config(
                    "the page cannot say where reports go: give the builder an `endpoint` or a \
                     `sink`",
                ));
            }
        };
        let facts = Facts {
            first: self.first(),
            every: self.every,
            spread: self.spread.unwrap_or(self.every),
            age: self.limits.age,
            batching: self.limits.batching,
            sink,
            is_spooled: self.spool.is_some(),
            bare: self.bare,
            cluster: self.cluster.clone(),
            is_instance_given: self.instance.is_some(),
            switch: self.switch.told()?,
            variable: self.switch.first_variable().map(str::to_owned),
            local_file: self.local_file.clone(),
        };
        page.render(&plans, sort, &facts)
    }

    /// The JSON Schema (2020-12) of the reports that these settings send, for their receiver: every
    /// object has exactly the members that are declared, and nothing else is valid. Members of the
    /// envelope are part of it unless the reports are [`bare`](Builder::bare).
    ///
    /// It has what JSON Schema does not know as `x-kind`, `x-unit` and `x-transforms` of a field,
    /// and `x-schema-version` of the whole. A fact may always be null; one that is asked for is any
    /// text, number or flag. Committed to a repository, the document is what
    /// [`assert_schema_compatible!`](crate::assert_schema_compatible) compares to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] for a schema that contradicts itself.
    pub fn to_json_schema(&self) -> Result<String, Error> {
        contract(&Plan::new(self.schema.clone())?, self.bare, Sort::Report)
    }

    /// The same of one [event](Builder::event) of this kind. Where events are sent together, it is
    /// that of each.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] for a schema that contradicts itself, [`ErrorKind::Usage`] for a kind
    /// that is not declared.
    pub fn event_json_schema(&self, kind: &str) -> Result<String, Error> {
        let plans = self.events.iter().cloned().map(Plan::of_event);
        let plans = plans.collect::<Result<Vec<Plan>, Error>>()?;
        let plan = plans.iter().find(|plan| plan.name == kind).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("the event `{kind}` is not declared"))
        })?;
        contract(plan, self.bare, Sort::Event)
    }
}

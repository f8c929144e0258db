//! What one field may ask for.

use super::fact::Fact;
use super::field::{Field, Host, Kind};
use super::figure::Figure;
use super::given::Given;
use super::series::Of;
use super::transform::{self, Transform};
use crate::error::{Error, ErrorKind};

/// Whether a name has no control characters, and no space at its ends.
pub(super) fn is_tidy(name: &str) -> bool {
    name.trim() == name && !name.chars().any(char::is_control)
}

pub(super) fn bad(message: String) -> Error {
    Error::new(ErrorKind::Schema, message)
}

/// Checks that a field of a strict schema says what it means.
pub(super) fn described(field: &Field, path: &str, strict: bool) -> Result<(), Error> {
    let is_described = field.description.as_ref().is_some_and(|text| !text.trim().is_empty());
    if strict && !is_described {
        return Err(bad(format!(
            "`{path}` is not described, and the schema is `strict`: say what it means with `describe`"
        )));
    }
    Ok(())
}

/// Checks what was said about a field.
pub(super) fn field(field: &Field, path: &str) -> Result<(), Error> {
    if let Some(default) = field.default {
        let word = field.kind.word();
        let gauges = match &field.kind {
            Kind::Gauge | Kind::GaugeSummary => true,
            Kind::Series(series) => series.of == Of::Gauges,
            _ => false,
        };
        if !gauges {
            return Err(bad(format!("`{path}` is a {word} and takes no default: only gauges do")));
        }
        if !default.is_finite() {
            return Err(bad(format!("`{path}` has the default {default}: give a finite number")));
        }
    }
    if matches!(&field.kind, Kind::Panics(Some(part)) if part.is_empty()) {
        return Err(bad(format!("`{path}` counts panics in no files: give a part of their paths")));
    }
    let counts = match &field.kind {
        Kind::Counter => true,
        Kind::Series(series) => series.of != Of::Gauges,
        _ => false,
    };
    if field.cumulative && !counts {
        let word = field.kind.word();
        return Err(bad(format!("`{path}` is a {word} and not cumulative: only counters are")));
    }
    if field.mergeable && !matches!(field.kind, Kind::Distinct { .. }) {
        let word = field.kind.word();
        return Err(bad(format!(
            "`{path}` is a {word} and not mergeable: only distinct counts are"
        )));
    }
    if let Kind::Series(series) = &field.kind {
        if let Some(fault) = series.fault() {
            return Err(bad(format!("`{path}` {fault}")));
        }
    }
    figures(field, path)?;
    transforms(field, path)
}

/// Checks what a field is asked to show beside the five figures.
fn figures(field: &Field, path: &str) -> Result<(), Error> {
    let summary = matches!(field.kind, Kind::Summary | Kind::GaugeSummary | Kind::Sampled(_));
    for (index, figure) in field.figures.iter().enumerate() {
        let key = figure.key();
        if !summary {
            return Err(bad(format!(
                "`{path}` is a {} and has no `{key}`: only summaries have figures",
                field.kind.word()
            )));
        }
        if let Figure::Quantile(q) = figure {
            if !(0.0..=1.0).contains(q) {
                return Err(bad(format!(
                    "`{path}` has the quantile {q}: give a number from 0 to 1"
                )));
            }
        }
        if let Figure::Buckets(most) = figure {
            if !(16..=1024).contains(most) {
                return Err(bad(format!(
                    "`{path}` has {most} buckets: give a number from 16 to 1024"
                )));
            }
        }
        #[cfg(feature = "hdr")]
        if let Figure::Hdr(resolution) = figure {
            if !(resolution.is_finite() && *resolution > 0.0) {
                return Err(bad(format!(
                    "`{path}` has `{key}` with the resolution {resolution}: give a finite number above 0"
                )));
            }
        }
        if figure.is_detail() {
            let coarser = |transform: &&Transform| !matches!(transform, Transform::AtLeast(_));
            if let Some(transform) = field.transforms.iter().find(coarser) {
                return Err(bad(format!(
                    "`{path}` has `{key}`, to which `{}` does not apply: drop one",
                    transform.key()
                )));
            }
        }
        if field.figures[..index].iter().any(|other| other.key() == key) {
            return Err(bad(format!("`{path}` has `{key}` twice: drop one")));
        }
    }
    Ok(())
}

/// Checks what is done to a field's value before it is said.
fn transforms(field: &Field, path: &str) -> Result<(), Error> {
    let word = field.kind.word();
    for transform in &field.transforms {
        if let Some(fault) = transform.fault() {
            return Err(bad(format!("`{path}` {fault}")));
        }
        let version = *transform == Transform::MajorMinor;
        let possible = match &field.kind {
            // The registers would tell what the transform hides.
            Kind::Distinct { .. } if field.mergeable => {
                matches!(transform, Transform::AtLeast(_))
            }
            Kind::Asked(_) | Kind::Later | Kind::Value | Kind::Given(Given::One(_)) => true,
            Kind::Given(Given::List) => false,
            Kind::Fact(fact) => {
                *fact == Fact::NULL || transform::fact(&[*transform], fact.clone()) != Fact::NULL
            }
            Kind::Host(Host::Cores | Host::Ram | Host::Uptime) => !version,
            Kind::Host(_) | Kind::Reason => false,
            _ => !version,
        };
        if !possible {
            let key = transform.key();
            return Err(bad(format!(
                "`{path}` is a {word} to which `{key}` does not apply: drop it"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Plan, Schema};

    fn error(schema: Schema) -> String {
        Plan::new(schema).err().expect("the schema is bad").to_string()
    }

    fn schema() -> Schema {
        Schema::new("shop")
    }

    #[test]
    fn figures_are_asked_of_summaries_once_and_within_range() {
        let ask = |figure| schema().section("usage", |s| s.summary("rows").with(figure));
        for q in [-0.01, 1.01, 99.0, f64::NAN, f64::INFINITY] {
            let message = error(ask(Figure::Quantile(q)));
            assert!(message.contains(&format!("`usage.rows` has the quantile {q}:")), "{message}");
        }
        let others = [schema().counter("a"), schema().gauge("a"), schema().fact("a", 1)];
        for other in others.into_iter().chain([schema().distinct("a", "id"), schema().ram("a")]) {
            let message = error(other.with(Figure::Count));
            assert!(message.contains("`a` is a ") && message.contains("no `count`"), "{message}");
        }
        let twice = |figure| {
            error(ask(figure).section("b", |s| s.summary("rows").with(figure).with(figure)))
        };
        assert!(twice(Figure::Stddev).contains("`b.rows` has `stddev` twice"));
        assert!(twice(Figure::Quantile(0.999)).contains("`b.rows` has `p99.9` twice"));
        let gauges =
            [schema().gauge("a"), schema().gauge_series("a", |s| s), schema().summary("a")];
        for other in gauges {
            assert!(error(other.cumulative()).contains("not cumulative: only counters are"));
        }
        assert!(error(schema().with(Figure::Sum).counter("a")).contains("`with` follows no field"));
        for other in [schema().counter("a"), schema().gauge("a"), schema().summary("a")] {
            assert!(error(other.mergeable()).contains("not mergeable: only distinct counts are"));
        }

        let all = |s: Schema| {
            [
                Figure::Count,
                Figure::Sum,
                Figure::Stddev,
                Figure::Quantile(0.0),
                Figure::Quantile(1.0),
            ]
            .into_iter()
            .fold(s, Schema::with)
        };
        let good = all(all(all(schema().summary("a")).gauge_summary("b")).sampled("c", || 1.0));
        assert!(Plan::new(good).is_ok());
    }

    #[test]
    fn transforms_are_asked_of_what_they_apply_to() {
        use Transform::*;
        let wrong = [
            (schema().counter("a").transform(Digits(0)), "keeps 0 digits"),
            (schema().counter("a").transform(AtLeast(0)), "hides nothing"),
            (schema().gauge("a").transform(AtMost(f64::NAN)), "NaN"),
            (schema().counter("a").transform(MajorMinor), "`major.minor` does not apply"),
            (schema().fact("a", "text").transform(PowerOfTen), "does not apply"),
            (schema().fact("a", 7).transform(MajorMinor), "does not apply"),
            (schema().instance_id("a").transform(Digits(1)), "host fact"),
            (schema().ci("a").transform(AtLeast(3)), "host fact"),
            (schema().panics("a", &[("b", "")]), "`a.b` counts panics in no files"),
            (schema().panics("a", &[("__other__", "x")]), "`a.__other__` is declared twice"),
            (schema().transform(Digits(1)).counter("a"), "`transform` follows no field"),
            (schema().distinct("a", "id").mergeable().transform(Digits(2)), "`digits 2` does not"),
        ];
        for (schema, words) in wrong {
            let message = error(schema);
            assert!(message.contains(words), "{message}");
        }
        let right = schema()
            .fact("version", "1.2.3")
            .transform(MajorMinor)
            .fact_with("server", || Fact::text("15.4"))
            .transform(MajorMinor)
            .ram("ram")
            .transform(PowerOfTen)
            .uptime("uptime")
            .transform(CoarseDuration)
            .summary("rows")
            .transform(AtLeast(10))
            .transform(Digits(2))
            .distinct("clients", "id")
            .mergeable()
            .transform(AtLeast(10))
            .uptime("time");
        assert!(Plan::new(right.clone()).is_ok());
        let id = |schema| Plan::new(schema).expect("a good schema").id;
        assert_ne!(id(right.clone()), id(right.transform(AtMost(1e9))));
    }
}

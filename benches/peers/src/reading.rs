//! What one process read, and what becomes of the readings of all of them.

use serde_json::{Value, json};

/// Named figures about one thing, each with all its values.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What was measured.
    pub path: String,
    /// Of which library.
    pub library: String,
    /// With what.
    pub shape: String,
    /// Threads that recorded at once.
    pub threads: usize,
    /// Other programs had the processors: the values say little.
    pub disturbed: bool,
    /// Name and values, in the order in which they are shown.
    pub figures: Vec<(String, Vec<f64>)>,
}

impl Reading {
    /// A reading without figures.
    pub fn new(path: &str, library: &str, shape: &str, threads: usize) -> Reading {
        let (path, library, shape) = (path.to_owned(), library.to_owned(), shape.to_owned());
        Reading { path, library, shape, threads, disturbed: false, figures: Vec::new() }
    }

    /// The same with one more figure.
    pub fn with(mut self, name: &str, values: Vec<f64>) -> Reading {
        self.figures.push((name.to_owned(), values));
        self
    }

    /// The values of a figure; none when there is no such figure.
    pub fn values(&self, name: &str) -> &[f64] {
        self.figures.iter().find(|(own, _)| own == name).map_or(&[], |(_, values)| values)
    }

    /// Whether the two are about the same thing.
    pub fn same(&self, other: &Reading) -> bool {
        let about = |reading: &Reading| {
            (reading.path.clone(), reading.library.clone(), reading.shape.clone(), reading.threads)
        };
        about(self) == about(other)
    }

    /// Adds the values of another reading of the same thing. Of one that is disturbed and one that
    /// is not only the latter counts.
    pub fn merge(&mut self, other: Reading) {
        match (self.disturbed, other.disturbed) {
            (true, false) => return *self = other,
            (false, true) => return,
            _ => (),
        }
        for (name, values) in other.figures {
            match self.figures.iter_mut().find(|(own, _)| *own == name) {
                Some((_, own)) => own.extend(values),
                None => self.figures.push((name, values)),
            }
        }
    }

    /// The least cost as a multiple of the least reference: what is left when nothing disturbs.
    pub fn least_ratio(&self) -> Option<f64> {
        let ratio = minimum(self.values("ns")) / minimum(self.values("reference_ns"));
        ratio.is_finite().then_some(ratio)
    }

    /// One line for the parent: all values.
    pub fn to_line(&self) -> String {
        json!({
            "path": self.path, "library": self.library, "shape": self.shape,
            "threads": self.threads, "disturbed": self.disturbed, "figures": self.figures,
        })
        .to_string()
    }

    /// The inverse of [`to_line`](Reading::to_line).
    pub fn parse(line: &str) -> Result<Reading, String> {
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let figures = serde_json::from_value(value["figures"].clone());
        Ok(Reading {
            path: text("path"),
            library: text("library"),
            shape: text("shape"),
            threads: value["threads"].as_u64().unwrap_or(1) as usize,
            disturbed: value["disturbed"].as_bool().unwrap_or_default(),
            figures: figures.map_err(|error| format!("{error}: {line}"))?,
        })
    }
}

/// The middle value; of an even number the lower one of the middle two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The least value.
pub fn minimum(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

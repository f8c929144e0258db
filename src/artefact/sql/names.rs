//! Names that an engine takes, each once.

use std::collections::HashSet;

/// Names of one kind in one place.
pub(super) struct Names {
    /// The most bytes of one.
    limit: usize,
    taken: HashSet<String>,
}

impl Names {
    /// None of these may be given.
    pub(super) fn new<const N: usize>(limit: usize, taken: [&str; N]) -> Names {
        Names { limit, taken: taken.map(str::to_owned).into() }
    }

    /// A name for what these parts lead to: the parts, joined. One that is too long or taken gets a
    /// hash of them at its end, so it does not depend on what else there is, unless that is taken too.
    pub(super) fn give(&mut self, parts: &[&str]) -> String {
        let plain: String = parts.join("_").chars().map(tame).collect();
        // Engines may take names that differ in case for one.
        let mut name = plain.clone();
        let mut seed = 0;
        while name.is_empty() || name.len() > self.limit || self.is_taken(&name) {
            let hash = format!("_{:08x}", hash(parts, seed));
            name = cut(&plain, self.limit.saturating_sub(hash.len())).to_owned() + &hash;
            seed += 1;
        }
        self.taken.insert(name.to_lowercase());
        name
    }

    fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(&name.to_lowercase())
    }
}

/// Control characters are in no name; a dot would make a column part of a ClickHouse `Nested`.
fn tame(c: char) -> char {
    if c.is_control() || c == '.' { '_' } else { c }
}

/// The longest beginning of at most so many bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// FNV-1a of the parts, each with its length before it.
fn hash(parts: &[&str], seed: u32) -> u32 {
    let lengths = parts.iter().flat_map(|part| {
        part.len().to_le_bytes().into_iter().chain(part.bytes()).collect::<Vec<u8>>()
    });
    seed.to_le_bytes()
        .into_iter()
        .chain(lengths)
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_parts_where_it_can_be() {
        let mut names = Names::new(63, ["report_id"]);
        assert_eq!(names.give(&["usage", "orders"]), "usage_orders");
        let same = names.give(&["usage_orders"]);
        assert!(same.starts_with("usage_orders_") && same.len() == 21, "{same}");
        let upper = names.give(&["usage", "Orders"]);
        assert!(upper.starts_with("usage_Orders_") && upper.len() == 21, "{upper}");
        assert_ne!(names.give(&["report", "id"]), "report_id");
        assert_eq!(names.give(&["\"a\n.b", ""]), "\"a__b_");
        assert_ne!(names.give(&[""]), "");
        // What else there is does not change a name.
        let mut others = Names::new(63, ["usage_orders"]);
        assert_eq!(others.give(&["usage_orders"]), same);
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let mut names = Names::new(63, []);
        let given: Vec<String> =
            (0..1000).map(|at| names.give(&[&"é".repeat(60), &at.to_string()])).collect();
        assert!(given.iter().all(|name| name.len() <= 63 && name.starts_with("éé")));
        assert_eq!(given.iter().collect::<HashSet<_>>().len(), 1000);
        let twice: HashSet<String> = (0..1000).map(|_| names.give(&["x"])).collect();
        assert_eq!(twice.len(), 1000);
    }
}

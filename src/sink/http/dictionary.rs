//! A dictionary of RFC 9651, "Structured Field Values for HTTP", section 4.2.2: as much of it as one
//! needs to find numbers and dates, and to step over all else.

/// A value as far as anybody here wants to know it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Decimal(f64),
    /// Seconds since 1970.
    Date(i64),
    Other,
}

/// The members in their order; of a key that comes twice the later one counts. `None` if it is no
/// dictionary: then nothing of it counts, as the RFC wants it.
pub(super) fn parse(text: &str) -> Option<Vec<(&str, Value)>> {
    let mut input = Input(text.trim_matches(' '));
    let mut members = Vec::new();
    while !input.0.is_empty() {
        let key = input.key()?;
        let value = match input.take('=') {
            Some(()) if input.0.starts_with('(') => input.list()?,
            Some(()) => input.bare()?,
            None => Value::Other, // the boolean "true"
        };
        input.parameters()?;
        members.push((key, value));
        input.skip(&[' ', '\t']);
        if input.0.is_empty() {
            break;
        }
        input.take(',')?;
        input.skip(&[' ', '\t']);
        if input.0.is_empty() {
            return None; // a comma at the end
        }
    }
    Some(members)
}

/// What is left to read.
struct Input<'a>(&'a str);

impl<'a> Input<'a> {
    /// Takes this character if it comes next.
    fn take(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    fn skip(&mut self, these: &[char]) {
        self.0 = self.0.trim_start_matches(these);
    }

    /// Takes all that are so, perhaps none.
    fn all(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let (taken, rest) = self.0.split_at(self.0.find(|c| !is(c)).unwrap_or(self.0.len()));
        self.0 = rest;
        taken
    }

    fn key(&mut self) -> Option<&'a str> {
        self.0.starts_with(|c: char| c.is_ascii_lowercase() || c == '*').then_some(())?;
        Some(self.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c)))
    }

    fn parameters(&mut self) -> Option<()> {
        while self.take(';').is_some() {
            self.skip(&[' ']);
            self.key()?;
            if self.take('=').is_some() {
                self.bare()?;
            }
        }
        Some(())
    }

    fn list(&mut self) -> Option<Value> {
        self.take('(')?;
        loop {
            self.skip(&[' ']);
            if self.take(')').is_some() {
                return Some(Value::Other);
            }
            self.bare()?;
            self.parameters()?;
            self.0.starts_with([' ', ')']).then_some(())?;
        }
    }

    fn bare(&mut self) -> Option<Value> {
        let first = self.0.chars().next()?;
        match first {
            '-' | '0'..='9' => return self.number(),
            '"' => self.quoted()?,
            'a'..='z' | 'A'..='Z' | '*' => {
                self.all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c));
            }
            ':' => {
                self.take(':')?;
                self.all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c));
                self.take(':')?;
            }
            '?' => {
                self.take('?')?;
                self.take('0').or_else(|| self.take('1'))?;
            }
            '@' => {
                self.take('@')?;
                let Value::Integer(seconds) = self.number()? else { return None };
                return Some(Value::Date(seconds));
            }
            '%' => {
                self.take('%')?;
                self.display()?;
            }
            _ => return None,
        }
        Some(Value::Other)
    }

    /// An integer of 15 digits at most, or a decimal with 12 before the point and 3 behind it.
    fn number(&mut self) -> Option<Value> {
        let all = self.0;
        let _sign = self.take('-');
        let whole = self.all(|c| c.is_ascii_digit()).len();
        let (longest, point) = (if self.0.starts_with('.') { 12 } else { 15 }, self.take('.'));
        (1..=longest).contains(&whole).then_some(())?;
        if point.is_some() {
            let fraction = self.all(|c| c.is_ascii_digit()).len();
            (1..=3).contains(&fraction).then_some(())?;
        }
        let number = &all[..all.len() - self.0.len()];
        match point {
            Some(()) => number.parse().ok().map(Value::Decimal),
            None => number.parse().ok().map(Value::Integer),
        }
    }

    fn quoted(&mut self) -> Option<()> {
        self.take('"')?;
        loop {
            self.all(|c| matches!(c, ' '..='~') && c != '"' && c != '\\');
            if self.take('"').is_some() {
                return Some(());
            }
            self.take('\\')?;
            self.take('"').or_else(|| self.take('\\'))?;
        }
    }

    /// A text in UTF-8, whose bytes may be written as `%c3`.
    fn display(&mut self) -> Option<()> {
        self.take('"')?;
        let mut text = Vec::new();
        loop {
            text.extend(self.all(|c| matches!(c, ' '..='~') && c != '"' && c != '%').bytes());
            if self.take('"').is_some() {
                return std::str::from_utf8(&text).ok().map(drop);
            }
            self.take('%')?;
            let digits = self.0.get(..2)?;
            let is_lower = |c: char| matches!(c, '0'..='9' | 'a'..='f');
            digits.chars().all(is_lower).then_some(())?;
            text.push(u8::from_str_radix(digits, 16).ok()?);
            self.0 = &self.0[2..];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sfv::{BareItem, Dictionary, ListEntry};

    use super::*;

    /// What a well-kept parser of the RFC reads: the keys in order of their first appearance.
    fn read(text: &str) -> Option<Vec<(String, Value)>> {
        let dictionary: Dictionary = sfv::Parser::new(text).parse().ok()?;
        let value = |entry: &ListEntry| match entry {
            ListEntry::InnerList(_) => Value::Other,
            ListEntry::Item(item) => match &item.bare_item {
                BareItem::Integer(integer) => Value::Integer((*integer).into()),
                BareItem::Decimal(decimal) => Value::Decimal((*decimal).into()),
                BareItem::Date(date) => Value::Date(date.unix_seconds().into()),
                _ => Value::Other,
            },
        };
        Some(dictionary.iter().map(|(key, entry)| (key.as_str().into(), value(entry))).collect())
    }

    /// The same by the parser here, with the last value of each key.
    fn ours(text: &str) -> Option<Vec<(String, Value)>> {
        let mut members: Vec<(String, Value)> = Vec::new();
        for (key, value) in parse(text)? {
            match members.iter_mut().find(|(other, _)| other == key) {
                Some(member) => member.1 = value,
                None => members.push((key.to_owned(), value)),
            }
        }
        Some(members)
    }

    /// Pieces that dictionaries are made of, in an order that often makes none.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "every",
            "a",
            "*k-1",
            "=",
            "=",
            "=",
            ",",
            ", ",
            "\t,",
            " ",
            ";",
            ";q",
            "(",
            ")",
            "-",
            "1",
            "86400",
            "0.1",
            "1.2345",
            ".5",
            "-7",
            "1234567890123",
            "999999999999999",
            "1234567890123456",
            "@1",
            "@1.5",
            "@-2",
            "?1",
            "?2",
            "\"",
            "\"a b\"",
            "\"\\\"\"",
            "\\",
            "\"\\x\"",
            "tok/en:1",
            "*",
            ":YQ==:",
            ":",
            "%\"a\"",
            "%\"%c3%a9\"",
            "%\"%c3\"",
            "%\"%C3%A9\"",
            "%",
            "A",
            "\u{e9}",
            "\u{7f}",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    /// Members that are mostly whole.
    fn members() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec!["every", "share", "until", "*x", "Bad", ""]);
        let value = prop::sample::select(vec![
            "",
            "=1",
            "=-0.25",
            "=@1796083200",
            "=\"x, y\"",
            "=(1 2;a \"b\");c=?0",
            "=()",
            "=( 1  tok )",
            "=(1",
            "=:YWJj:",
            "=%\"f%c3%bc\"",
            "=?1;a;b=2",
            "=tok",
            "=",
            "=1.",
            "=00",
        ]);
        let between = prop::sample::select(vec![", ", ",", " ,\t", ",,", " "]);
        prop::collection::vec((key, value, between), 0..5).prop_map(|members| {
            let members = members.iter().enumerate().map(|(at, (key, value, between))| {
                if at > 0 { format!("{between}{key}{value}") } else { format!("{key}{value}") }
            });
            members.collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_reads_what_a_whole_parser_of_the_rfc_reads(text in prop_oneof![pieces(), members()]) {
            prop_assert_eq!(ours(&text), read(&text), "{:?}", text);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = parse(&text);
        }
    }
}

//! What a key of a JSON file says.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::decision::Decision;
use super::source::{Polarity, says};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// A key of a JSON file of the application.
#[derive(Clone, Debug)]
pub(super) struct ConfigKey {
    pub(super) path: PathBuf,
    /// Names of objects, one in the other, and of the value, joined by dots.
    pub(super) key: String,
}

impl ConfigKey {
    /// What the key says; `None` when there is no such file or no such key in it. What cannot be
    /// read or understood is a no.
    pub(super) fn says(&self) -> Option<Decision> {
        let ConfigKey { path, key } = self;
        let unusable = |problem: &str| {
            let remedy = "mend the file, or remove it".to_owned();
            Some(Decision::not_understood(format!("{path:?} {problem}"), remedy))
        };
        let text = match read(path) {
            Ok(Some(text)) => text,
            Ok(None) => return None,
            Err(problem) => return unusable(problem),
        };
        // The parser's own words may repeat what the file says.
        let Ok(object @ Json::Object(_)) = serde_json::from_str(&text) else {
            return unusable("is not a JSON object");
        };
        let name = format!("{key} in {path:?}");
        let not_understood = |problem: &str| {
            let remedy = format!("set {key} to true or false");
            Some(Decision::not_understood(format!("{name} {problem}"), remedy))
        };
        let mut value = object;
        for part in key.split('.') {
            let Json::Object(entries) = value else {
                return not_understood("has an unknown value");
            };
            let mut found = entries.into_iter().filter(|(name, _)| name == part);
            value = found.next()?.1;
            if found.next().is_some() {
                return not_understood("is there twice");
            }
        }
        let word = match value {
            Json::Bool(value) => value.to_string(),
            Json::Text(text) => text,
            Json::Object(_) | Json::Other => return not_understood("has an unknown value"),
        };
        // Unlike an empty variable, an empty text was put there by somebody.
        let said = says(key, Polarity::Permits, Some(word.as_ref()));
        match said {
            Some(said) if said.warning().is_none() => Some(said.within(path)),
            _ => not_understood("has an unknown value"),
        }
    }
}

/// The text of the file; `None` when there is none.
fn read(path: &Path) -> Result<Option<String>, &'static str> {
    // Asked before opening: to open a named pipe would wait for a writer.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err("is not a file"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err("cannot be read"),
    }
    let mut content = Vec::new();
    // One byte more than allowed, so that a longer file is seen to be longer.
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut content))
        .map_err(|_| "cannot be read")?;
    if content.len() as u64 > LONGEST {
        return Err("is longer than 1 MiB");
    }
    String::from_utf8(content).map(Some).map_err(|_| "is not a JSON object")
}

/// What is of interest in a JSON value. Keys that are there twice are kept twice: of a no and a
/// yes, `serde_json`'s own value would keep the last.
enum Json {
    Bool(bool),
    Text(String),
    Object(Vec<(String, Json)>),
    Other,
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Makes [`Json`] of what the parser finds.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Json::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::super::decision::Mode;
    use super::super::tests::Folder;
    use super::*;

    /// What is decided by a key of a file alone, where the default is on.
    fn by_file(path: &Path, key: &str) -> Decision {
        let key = ConfigKey { path: path.to_owned(), key: key.to_owned() };
        key.says().unwrap_or_else(|| Decision::new(Mode::On, "default".to_owned()))
    }

    #[test]
    fn a_file_that_was_cut_off_means_off() {
        let folder = Folder::new("prefix");
        let text = "{\"name\": \"é\\u00e9\", \"list\": [1, -2.5e3, null, {\"telemetry\": true}],\n \
                    \"deep\": {\"telemetry\": true}}\n";
        for key in ["deep.telemetry", "missing"] {
            for length in 0..=text.len() {
                let prefix = &text.as_bytes()[..length];
                let whole = serde_json::from_slice::<serde_json::Value>(prefix).is_ok();
                let decision = by_file(&folder.file(prefix), key);
                assert_eq!(decision.is_on(), whole, "{length} bytes: {decision}");
                assert_eq!(decision.warning().is_none(), whole, "{decision}");
            }
        }
    }

    #[test]
    fn a_file_says_only_what_it_says_plainly() {
        let folder = Folder::new("plainly");
        let cases: [(&[u8], &str); 26] = [
            (b"{\"a\": true}", "on (a=true in F)"),
            (b"{\"a\": false}", "off (a=false in F)"),
            (b"{\"a\": \"Disabled\"}", "off (a=disabled in F)"),
            (b"{\"a\": \"enabled\", \"b\": 1}", "on (a=enabled in F)"),
            (b"{\"a\": \"local\"}", "local (a=local in F)"),
            (b" {} ", "on (default)"),
            (b"{\"b\": {\"a\": false}}", "on (default)"),
            (b"{\"A\": false}", "on (default)"),
            (b"{\"a\": \"\"}", "off (a in F has an unknown value)"),
            (b"{\"a\": \"what\"}", "off (a in F has an unknown value)"),
            (b"{\"a\": null}", "off (a in F has an unknown value)"),
            (b"{\"a\": 1}", "off (a in F has an unknown value)"),
            (b"{\"a\": -1}", "off (a in F has an unknown value)"),
            (b"{\"a\": 1.5}", "off (a in F has an unknown value)"),
            (b"{\"a\": [true]}", "off (a in F has an unknown value)"),
            (b"{\"a\": {\"a\": true}}", "off (a in F has an unknown value)"),
            (b"{\"a\": false, \"b\": 1, \"a\": true}", "off (a in F is there twice)"),
            (b"", "off (F is not a JSON object)"),
            (b"true", "off (F is not a JSON object)"),
            (b"[{\"a\": true}]", "off (F is not a JSON object)"),
            (b"{\"a\": true} {}", "off (F is not a JSON object)"),
            (b"{\"a\": true,}", "off (F is not a JSON object)"),
            (b"{a: true}", "off (F is not a JSON object)"),
            (b"\xef\xbb\xbf{\"a\": true}", "off (F is not a JSON object)"),
            (b"{\"a\": true, \"b\": \"\xff\"}", "off (F is not a JSON object)"),
            (b"{\0\"\0a\0\"\0:\0t\0", "off (F is not a JSON object)"),
        ];
        for (content, expected) in cases {
            let path = folder.file(content);
            let shown = by_file(&path, "a").to_string().replace(&format!("{path:?}"), "F");
            assert_eq!(shown, format!("telemetry: {expected}"), "{}", content.escape_ascii());
        }
        let path = folder.file(b"{\"a\": {\"b\": {\"c\": false}, \"d\": true}}");
        for (key, mode) in
            [("a.b.c", Mode::Off), ("a.d", Mode::On), ("a.b.x", Mode::On), ("a.d.c", Mode::Off)]
        {
            assert_eq!(by_file(&path, key).mode(), mode, "{key}");
        }
    }

    #[test]
    fn what_is_no_readable_file_means_off_and_nothing_there_means_nothing() {
        let folder = Folder::new("no-file");
        assert_eq!(by_file(&folder.0.join("missing.json"), "a").rule(), "default");
        assert_eq!(by_file(&folder.0.join("missing/file.json"), "a").rule(), "default");
        let off = |path: &Path, problem: &str| {
            let decision = by_file(path, "a");
            assert_eq!(decision.to_string(), format!("telemetry: off ({path:?} {problem})"));
            assert!(decision.warning().is_some());
        };
        off(&folder.0, "is not a file");
        let within = folder.file(b"{\"a\": true}").join("file.json");
        #[cfg(unix)]
        off(&within, "cannot be read");
        // White space around an object is JSON, so that the length alone decides.
        let padded = |length: u64| {
            let mut content = b"{\"a\": true}".to_vec();
            content.resize(length as usize, b' ');
            folder.file(&content)
        };
        assert!(by_file(&padded(LONGEST), "a").is_on());
        off(&padded(LONGEST + 1), "is longer than 1 MiB");
        off(&padded(10_000_000), "is longer than 1 MiB");
        let deep = format!("{{\"a\": true, \"b\": {}{}}}", "{\"b\":".repeat(100_000), "1");
        off(&folder.file(deep.as_bytes()), "is not a JSON object");
    }

    #[test]
    #[cfg(unix)]
    fn a_named_pipe_means_off_and_is_not_waited_for() {
        let folder = Folder::new("pipe");
        let path = folder.0.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(by_file(&path, "a").rule(), format!("{path:?} is not a file"));
    }
}

//! Whether a file that was committed is what is generated now.

use std::fs;
use std::path::Path;

use similar::TextDiff;

use crate::schema::Schema;

/// Compares a generated text to the file at `path` within `root`, or with `CALLHOME_BLESS=1` in the
/// environment writes it there.
///
/// # Errors
///
/// What differs, line by line, and how to write the file anew.
#[doc(hidden)]
pub fn check(root: &str, path: &str, generated: &str) -> Result<(), String> {
    let is_blessed = std::env::var_os("CALLHOME_BLESS").is_some_and(|value| value == "1");
    check_file(&Path::new(root).join(path), path, generated, is_blessed)
}

pub(super) fn check_file(
    file: &Path,
    path: &str,
    generated: &str,
    is_blessed: bool,
) -> Result<(), String> {
    if is_blessed {
        let made = file.parent().map_or(Ok(()), fs::create_dir_all);
        return made
            .and_then(|()| fs::write(file, generated))
            .map_err(|error| format!("{path} cannot be written: {error}"));
    }
    let remedy = "CALLHOME_BLESS=1 with the same test writes it";
    let committed = match fs::read_to_string(file) {
        Ok(text) => text.replace("\r\n", "\n"), // as some check it out
        Err(error) => return Err(format!("{path} cannot be read: {error}; {remedy}")),
    };
    if committed == generated {
        return Ok(());
    }
    let diff = TextDiff::from_lines(&*committed, generated);
    let diff = diff.unified_diff().context_radius(2).header("committed", "generated").to_string();
    Err(format!("{path} is stale; {remedy}:\n{diff}"))
}

/// Compares a generated contract to the file at `path` within `root`, which is the one that
/// receivers know, or with `CALLHOME_BLESS=1` in the environment writes it there.
///
/// # Errors
///
/// What differs. If something breaks without a new version, that; and nothing is written then.
#[doc(hidden)]
pub fn check_contract(root: &str, path: &str, generated: &str) -> Result<(), String> {
    let is_blessed = std::env::var_os("CALLHOME_BLESS").is_some_and(|value| value == "1");
    check_contract_file(&Path::new(root).join(path), path, generated, is_blessed)
}

pub(super) fn check_contract_file(
    file: &Path,
    path: &str,
    generated: &str,
    is_blessed: bool,
) -> Result<(), String> {
    if let Ok(committed) = fs::read_to_string(file) {
        let changes = Schema::compare(&committed, generated).map_err(|e| format!("{path}: {e}"))?;
        if changes.is_unannounced() {
            let remedy = changes.remedy();
            return Err(format!(
                "receivers of {path} cannot read these reports; undo it, or raise {remedy}:\n{changes}"
            ));
        }
    }
    check_file(file, path, generated, is_blessed)
}

/// Fails the test unless the file, given from the package's root, is what is generated now. With
/// `CALLHOME_BLESS=1` in the environment it writes the file instead.
///
/// ```no_run
/// # use callhome::{CallHome, Page, Schema, sink::MemorySink};
/// # fn builder() -> callhome::Builder {
/// #     CallHome::builder(Schema::new("shop").counter("orders")).sink(MemorySink::new()).opt_out()
/// # }
/// #[test]
/// fn the_page_is_current() {
///     let page = Page::new("Shop").why("To know what is used.").retention("A year.");
///     callhome::assert_page_current!("TELEMETRY.md", builder().to_markdown(&page).unwrap());
/// }
/// ```
#[macro_export]
macro_rules! assert_page_current {
    ($path:expr, $page:expr $(,)?) => {
        if let Err(stale) = $crate::__check(env!("CARGO_MANIFEST_DIR"), $path, &$page) {
            panic!("{stale}");
        }
    };
}

/// Fails the test when the reports cannot be read any more by those who know the committed JSON
/// Schema, unless [`Schema::version`](crate::Schema::version) was raised; and when the file, given
/// from the package's root, is not what is generated now. With `CALLHOME_BLESS=1` in the environment
/// it writes the file, but not over one that breaks so.
///
/// ```no_run
/// # use callhome::{Builder, CallHome, Schema};
/// # fn builder() -> Builder {
/// #     CallHome::builder(Schema::new("shop").counter("orders"))
/// # }
/// #[test]
/// fn receivers_can_read_the_reports() {
///     callhome::assert_schema_compatible!("schema.json", builder().to_json_schema().unwrap());
/// }
/// ```
#[macro_export]
macro_rules! assert_schema_compatible {
    ($path:expr, $schema:expr $(,)?) => {
        if let Err(fault) = $crate::__check_contract(env!("CARGO_MANIFEST_DIR"), $path, &$schema) {
            panic!("{fault}");
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artefact::{Sort, contract, events_contract};
    use crate::delivery::Shape as Body;
    use crate::schema::Plan;

    #[test]
    fn a_stale_file_is_told_by_its_lines_and_written_when_it_is_blessed() {
        let folder = std::env::temp_dir().join(format!("callhome-page-{}", std::process::id()));
        let file = folder.join("deep/PAGE.md");
        let check = |text: &str, is_blessed| check_file(&file, "PAGE.md", text, is_blessed);
        let missing = check("one\n", false).unwrap_err();
        assert!(missing.contains("PAGE.md cannot be read") && missing.contains("CALLHOME_BLESS=1"));

        check("one\ntwo\nthree\n", true).unwrap();
        assert_eq!(check("one\ntwo\nthree\n", false), Ok(()));
        let stale = check("one\n2\nthree\n", false).unwrap_err();
        assert!(stale.contains("PAGE.md is stale") && stale.contains("\n-two\n+2\n"), "{stale}");
        assert_eq!(check("one\ntwo\nthree\n", false), Ok(()), "it was not written");

        fs::write(&file, "one\r\ntwo\r\n").unwrap();
        assert_eq!(check("one\ntwo\n", false), Ok(()));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_contract_that_breaks_is_not_even_written_when_it_is_blessed() {
        let folder = std::env::temp_dir().join(format!("callhome-schema-{}", std::process::id()));
        let file = folder.join("schema.json");
        let contract = |schema: Schema| {
            let plan = Plan::new(schema).expect("a good schema");
            contract(&plan, false, Sort::Report).expect("a good schema")
        };
        let check = |schema, is_blessed| {
            check_contract_file(&file, "schema.json", &contract(schema), is_blessed)
        };
        let first = || Schema::new("shop").counter("orders");
        assert!(check(first(), false).unwrap_err().contains("cannot be read"));
        check(first(), true).unwrap();
        assert_eq!(check(first(), false), Ok(()));

        let more = check(first().counter("visits"), false).unwrap_err();
        assert!(more.contains("is stale") && more.contains("\n+        \"visits\""), "{more}");
        for is_blessed in [false, true] {
            let other = check(Schema::new("shop").gauge("orders"), is_blessed).unwrap_err();
            assert!(other.contains("raise `Schema::version` above 1"), "{other}");
            assert!(other.contains("breaking: `data.orders` may be "), "{other}");
        }
        assert_eq!(check(first(), false), Ok(()), "it was not written");
        check(first().counter("visits"), true).unwrap();
        check(Schema::new("shop").version(2).gauge("orders"), true).unwrap();
        assert!(check(first(), true).is_err(), "back again");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_announces_a_break_is_named() {
        let folder = std::env::temp_dir().join(format!("callhome-events-{}", std::process::id()));
        let file = folder.join("schema.json");
        let check = |kind: Schema, is_blessed| {
            let whole = Plan::new(Schema::new("cli").version(3).counter("n"));
            let (whole, kind) = (whole.expect("a good schema"), Plan::of_event(kind));
            let kind = kind.expect("a good schema");
            let text = events_contract(&whole, &[&kind], true, Body::Single);
            check_contract_file(&file, "schema.json", &text.expect("a good schema"), is_blessed)
        };
        let first = || Schema::new("command").version(7).given("name");
        check(first(), true).unwrap();
        let other = check(Schema::new("command").version(6).given("x"), true).unwrap_err();
        assert!(other.contains("raise `Schema::version` of \"command\" above 7:"), "{other}");
        let gone = check(Schema::new("other").given("name"), true).unwrap_err();
        assert!(gone.contains("raise `Schema::version` of \"cli\" above 3:"), "{gone}");
        assert_eq!(check(first(), false), Ok(()), "nothing was written");
        check(Schema::new("command").version(8).given("x"), true).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}

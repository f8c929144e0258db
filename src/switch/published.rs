//! The published truth table: `docs/SWITCH.md` is made of the tables of the code and of the rows
//! here, and each row is decided.
//!
//! `CALLHOME_BLESS=1 cargo test published` writes the file anew.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::ci::{CiPolicy, VENDORS};
use super::decision::{Decision, Mode};
use super::rules::{RULES, Reach, Surroundings, Switch};
use super::source::{Polarity, Setting};
use super::tests::Folder;
use super::words::{Meaning, WORDS, listed};

/// Values that are spelled otherwise than the words, and what they mean; `None` is unknown.
const SPELLINGS: [(&str, Option<Meaning>); 24] = [
    ("FALSE", Some(Meaning::No)),
    ("False", Some(Meaning::No)),
    (" 0 ", Some(Meaning::No)),
    ("\toff\r\n", Some(Meaning::No)),
    ("Disabled", Some(Meaning::No)),
    ("NO", Some(Meaning::No)),
    ("TRUE", Some(Meaning::Yes)),
    (" 1 ", Some(Meaning::Yes)),
    ("Yes\n", Some(Meaning::Yes)),
    ("eNaBlEd ", Some(Meaning::Yes)),
    (" Local", Some(Meaning::Local)),
    ("2", None),
    ("-1", None),
    ("00", None),
    ("1.0", None),
    ("offf", None),
    ("tru e", None),
    ("no no", None),
    ("\"false\"", None),
    ("false;", None),
    ("null", None),
    ("maybe", None),
    ("locally", None),
    ("désactivé", None),
];

/// What a value says in the three kinds of variables: nothing, or a mode.
type Says = [Option<Mode>; 3];

/// What a meaning says to `DO_NOT_TRACK`, `switch` and `opt_out_switch`.
fn says(meaning: Option<Meaning>) -> Says {
    match meaning {
        Some(Meaning::No) => [None, Some(Mode::Off), Some(Mode::On)],
        Some(Meaning::Yes) => [Some(Mode::Off), Some(Mode::On), Some(Mode::Off)],
        Some(Meaning::Local) => [Some(Mode::Off), Some(Mode::Local), Some(Mode::Local)],
        None => [Some(Mode::Off); 3],
    }
}

/// A value as it is shown and as it is set, what it says, and whether that takes a warning.
struct Row {
    shown: String,
    value: Option<OsString>,
    says: Says,
    unknown: bool,
}

fn rows() -> Vec<Row> {
    let row = |value: &str, says, unknown| Row {
        shown: format!("`{}`", value.escape_debug().to_string().replace("\\\"", "\"")),
        value: Some(value.into()),
        says,
        unknown,
    };
    let mut rows =
        vec![Row { shown: "not set".into(), value: None, says: [None; 3], unknown: false }];
    rows.push(Row { shown: "empty".into(), ..row("", [None; 3], false) });
    rows.push(Row { shown: "a space".into(), ..row(" ", [None; 3], false) });
    rows.push(row("\t\n", [None; 3], false));
    for (meaning, words) in WORDS {
        rows.extend(words.iter().map(|word| row(word, says(Some(meaning)), false)));
    }
    let spellings = SPELLINGS.iter();
    rows.extend(spellings.map(|(value, meaning)| row(value, says(*meaning), meaning.is_none())));
    for (shown, bytes) in [("the byte FF", &b"\xff"[..]), ("`on` and the byte FF", b"on\xff")] {
        #[cfg(unix)]
        let value = std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec());
        #[cfg(not(unix))]
        let value = OsString::from(format!("{bytes:?}"));
        rows.push(Row { shown: shown.into(), value: Some(value), says: says(None), unknown: true });
    }
    rows
}

/// An application in some surroundings, and what it prints.
struct Case {
    environment: &'static [(&'static str, &'static str)],
    /// What `--telemetry` is.
    setting: Option<&'static str>,
    /// The content of `shop.json`.
    file: Option<&'static str>,
    policy: CiPolicy,
    opt_in: bool,
    prints: &'static str,
}

const PLAIN: Case = Case {
    environment: &[],
    setting: None,
    file: None,
    policy: CiPolicy::Tag,
    opt_in: false,
    prints: "on (default)",
};

const ON: Option<&str> = Some(r#"{"telemetry": {"enabled": true}}"#);
const OFF: Option<&str> = Some(r#"{"telemetry": {"enabled": false}}"#);

#[rustfmt::skip]
const CASES: [Case; 36] = [
    PLAIN,
    Case { opt_in: true, prints: "off (default)", ..PLAIN },
    // Each source overrides the default, both ways where there are two.
    Case { environment: &[("DO_NOT_TRACK", "1")], prints: "off (DO_NOT_TRACK=1)", ..PLAIN },
    Case { environment: &[("DO_NOT_TRACK", "please")], prints: "off (DO_NOT_TRACK is set)", ..PLAIN },
    Case { environment: &[("DO_NOT_TRACK", "0")], ..PLAIN },
    Case { environment: &[("DO_NOT_TRACK", "0")], opt_in: true, prints: "off (default)", ..PLAIN },
    Case { environment: &[("SHOP_TELEMETRY", "disabled")], prints: "off (SHOP_TELEMETRY=disabled)", ..PLAIN },
    Case { environment: &[("SHOP_TELEMETRY", "on")], opt_in: true, prints: "on (SHOP_TELEMETRY=on)", ..PLAIN },
    Case { environment: &[("SHOP_TELEMETRY", "local")], prints: "local (SHOP_TELEMETRY=local)", ..PLAIN },
    Case { environment: &[("SHOP_TELEMETRY", "maybe")], prints: "off (SHOP_TELEMETRY has an unknown value)", ..PLAIN },
    Case { environment: &[("SHOP_OPT_OUT", "true")], prints: "off (SHOP_OPT_OUT=true)", ..PLAIN },
    Case { environment: &[("SHOP_OPT_OUT", "false")], opt_in: true, prints: "on (SHOP_OPT_OUT=false)", ..PLAIN },
    Case { setting: Some("false"), prints: "off (--telemetry=false)", ..PLAIN },
    Case { setting: Some("true"), opt_in: true, prints: "on (--telemetry=true)", ..PLAIN },
    Case { setting: Some(""), ..PLAIN },
    Case { setting: Some("maybe"), prints: "off (--telemetry has an unknown value)", ..PLAIN },
    Case { file: OFF, prints: "off (telemetry.enabled=false in \"/etc/shop.json\")", ..PLAIN },
    Case { file: ON, opt_in: true, prints: "on (telemetry.enabled=true in \"/etc/shop.json\")", ..PLAIN },
    Case { file: Some(r#"{"telemetry": {}}"#), ..PLAIN },
    Case { file: Some(r#"{"telemetry": {"enabled": 1}}"#), prints: "off (telemetry.enabled in \"/etc/shop.json\" has an unknown value)", ..PLAIN },
    Case { file: Some(r#"{"telemetry": {"enabled": tr"#), prints: "off (\"/etc/shop.json\" is not a JSON object)", ..PLAIN },
    Case { environment: &[("GITHUB_ACTIONS", "true")], ..PLAIN },
    Case { environment: &[("GITHUB_ACTIONS", "true")], policy: CiPolicy::Drop, prints: "off (CI (GITHUB_ACTIONS))", ..PLAIN },
    Case { environment: &[("CI", "false")], policy: CiPolicy::Drop, ..PLAIN },
    // The stronger source decides.
    Case { environment: &[("DO_NOT_TRACK", "1"), ("SHOP_TELEMETRY", "on")], prints: "off (DO_NOT_TRACK=1)", ..PLAIN },
    Case { environment: &[("DO_NOT_TRACK", "1")], setting: Some("true"), file: ON, prints: "off (DO_NOT_TRACK=1)", ..PLAIN },
    Case { environment: &[("DO_NOT_TRACK", "0"), ("SHOP_TELEMETRY", "off")], prints: "off (SHOP_TELEMETRY=off)", ..PLAIN },
    Case { environment: &[("SHOP_TELEMETRY", "on")], setting: Some("false"), file: OFF, prints: "on (SHOP_TELEMETRY=on)", ..PLAIN },
    Case { environment: &[("SHOP_TELEMETRY", "off")], setting: Some("true"), file: ON, prints: "off (SHOP_TELEMETRY=off)", ..PLAIN },
    Case { setting: Some("false"), file: ON, prints: "off (--telemetry=false)", ..PLAIN },
    Case { setting: Some("true"), file: OFF, prints: "on (--telemetry=true)", ..PLAIN },
    Case { environment: &[("TRAVIS", "true"), ("SHOP_TELEMETRY", "on")], policy: CiPolicy::Drop, prints: "on (SHOP_TELEMETRY=on)", ..PLAIN },
    Case { environment: &[("TRAVIS", "true")], file: ON, policy: CiPolicy::Drop, prints: "on (telemetry.enabled=true in \"/etc/shop.json\")", ..PLAIN },
    // Of sources of the same rank, the strictest.
    Case { environment: &[("SHOP_TELEMETRY", "on"), ("SHOP_OPT_OUT", "1")], prints: "off (SHOP_OPT_OUT=1)", ..PLAIN },
    Case { environment: &[("SHOP_TELEMETRY", "local"), ("SHOP_OPT_OUT", "0")], prints: "local (SHOP_TELEMETRY=local)", ..PLAIN },
    Case { environment: &[("SHOP_TELEMETRY", "on"), ("SHOP_OPT_OUT", "maybe")], prints: "off (SHOP_OPT_OUT has an unknown value)", ..PLAIN },
];

/// Decides in this environment, and in no test.
fn decide(switch: &Switch, lookup: &dyn Fn(&str) -> Option<OsString>) -> Decision {
    let here = Surroundings { lookup, executable: &|| Some(PathBuf::from("/usr/bin/shop")) };
    switch.decide_in(Reach::Beyond, &here).unwrap()
}

fn by_default(opt_in: bool) -> Switch {
    let mut switch = Switch::default();
    switch.by_default(if opt_in { Mode::Off } else { Mode::On });
    switch
}

#[test]
fn each_published_value_says_what_is_published() {
    for Row { shown, value, says, unknown } in rows() {
        let names = ["DO_NOT_TRACK", "SHOP_TELEMETRY", "SHOP_OPT_OUT"];
        for (column, (name, says)) in names.into_iter().zip(says).enumerate() {
            for opt_in in [false, true] {
                let mut switch = by_default(opt_in);
                switch.variable(Polarity::Permits, names[1].into());
                switch.variable(Polarity::OptsOut, names[2].into());
                let decision = decide(&switch, &|asked| value.clone().filter(|_| asked == name));
                let default = if opt_in { Mode::Off } else { Mode::On };
                assert_eq!(decision.mode(), says.unwrap_or(default), "{name} is {shown}");
                assert_eq!(decision.rule() == "default", says.is_none(), "{name} is {shown}");
                let warned = decision.warning().is_some();
                assert_eq!(warned, unknown && column > 0, "{name} is {shown}");
                // A setting of that value says the same, under its name.
                let mut switch = by_default(opt_in);
                let polarity = [Polarity::Permits, Polarity::OptsOut].get(column.wrapping_sub(1));
                if let (Some(polarity), Some(value)) = (polarity, &value) {
                    switch.setting(*polarity, "--flag".into(), Setting::from(value.clone()));
                    let same = decide(&switch, &|_| None);
                    assert_eq!(same.to_string(), decision.to_string().replace(name, "--flag"));
                }
            }
        }
    }
}

#[test]
fn each_published_case_prints_what_is_published() {
    let folder = Folder::new("published");
    let path = folder.0.join("shop.json");
    for (number, case) in CASES.iter().enumerate() {
        let _ = std::fs::remove_file(&path);
        if let Some(content) = case.file {
            std::fs::write(&path, content).unwrap();
        }
        let mut switch = by_default(case.opt_in);
        switch.variable(Polarity::Permits, "SHOP_TELEMETRY".into());
        switch.variable(Polarity::OptsOut, "SHOP_OPT_OUT".into());
        switch.setting(Polarity::Permits, "--telemetry".into(), case.setting.into());
        switch.file(path.clone(), "telemetry.enabled".into());
        switch.ci(case.policy);
        let decision = decide(&switch, &|name| {
            let found = case.environment.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| value.into())
        });
        let printed = decision.to_string().replace(&format!("{path:?}"), "\"/etc/shop.json\"");
        assert_eq!(printed, format!("telemetry: {}", case.prints), "row {}", number + 1);
        assert_eq!(decision.is_on(), case.prints.starts_with("on ("), "row {}", number + 1);
    }
}

/// The document.
fn document() -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    line("# The switch");
    line("");
    line("<!-- Generated from the code by `CALLHOME_BLESS=1 cargo test published`. -->");
    line("");
    line("Whether anything is collected and sent is decided when the program starts. These are");
    line("asked in this order, and the first that says anything decides:");
    line("");
    for (number, rule) in RULES.iter().enumerate() {
        line(&format!("{}. {}", number + 1, rule.document));
    }
    line(&format!(
        "{}. The default, which the maintainer has chosen: on (opt-out) or off (opt-in).",
        RULES.len() + 1
    ));
    line("");
    line(
        "Of several variables, settings or files the strictest decides: off before local, and local",
    );
    line("before on. Where all this says on, it is still off under `cargo test`, unless the test");
    line("asks for it or the reports stay on the machine.");
    line("");
    line(
        "`local` is for looking at reports without sending any: the very same reports are written to",
    );
    line("a file or the log.");
    line("");
    line("## Words");
    line("");
    line("Values are trimmed, and upper and lower case are the same.");
    line("");
    for (meaning, name) in [(Meaning::No, "Off"), (Meaning::Yes, "On"), (Meaning::Local, "Local")] {
        let words = listed(meaning).replace(", ", "`, `");
        line(&format!("- {name}: `{words}`."));
    }
    line("- Nothing at all or white space says nothing.");
    line(
        "- Anything else is unknown and means off. One line in the log then names the variable and",
    );
    line("  the words, and never the value.");
    line("");
    line(
        "`switch` is a variable or setting that permits, like `SHOP_TELEMETRY`; `opt_out_switch` is",
    );
    line(
        "one that asks the opposite, like `SHOP_OPT_OUT`. A dash says nothing: the next is asked.",
    );
    line("");
    line("| | value | `DO_NOT_TRACK` | `switch` | `opt_out_switch` |");
    line("| --- | --- | --- | --- | --- |");
    let mut count = 0;
    for Row { shown, says, unknown, .. } in rows() {
        count += 1;
        let mut cells = String::new();
        for (column, says) in says.into_iter().enumerate() {
            let said = says.map_or("–".to_owned(), |mode| mode.to_string());
            let warned = if unknown && column > 0 { ", with a warning" } else { "" };
            let _ = write!(cells, " {said}{warned} |");
        }
        line(&format!("| {count} | {shown} |{cells}"));
    }
    line("");
    line("## Who decides");
    line("");
    line("The application of these rows declares `SHOP_TELEMETRY`, `SHOP_OPT_OUT`, the flag");
    line(
        "`--telemetry` and the key `telemetry.enabled` of `/etc/shop.json`. What is left empty is",
    );
    line("not there. The last column is what it prints after `telemetry: `.");
    line("");
    line("| | environment | flag | file | in CI | default | prints |");
    line("| --- | --- | --- | --- | --- | --- | --- |");
    for Case { environment, setting, file, policy, opt_in, prints } in CASES {
        count += 1;
        let environment: Vec<String> =
            environment.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
        let setting = setting.map_or(String::new(), |value| format!("`--telemetry={value}`"));
        let file = file.map_or(String::new(), |content| format!("`{content}`"));
        let policy = format!("{policy:?}").to_lowercase();
        let default = if opt_in { "opt-in" } else { "opt-out" };
        let environment = environment.join(" ");
        line(&format!(
            "| {count} | {environment} | {setting} | {file} | {policy} | {default} | `{prints}` |"
        ));
    }
    line("");
    line("## CI");
    line("");
    line(
        "A CI system is recognised by its variables, the first in this list that fits. A variable",
    );
    line(
        "counts when it is neither empty nor an off word. In CI, `drop` means off, `tag` reports the",
    );
    line("name below in a field that the schema declares for it, and `count` reports as anywhere.");
    line("");
    line("| name in reports | variables |");
    line("| --- | --- |");
    for (vendor, signs) in VENDORS {
        line(&format!("| `{vendor}` | `{}` |", signs.join("`, `")));
    }
    text
}

#[test]
fn the_document_is_current() {
    assert!(rows().len() + CASES.len() >= 40);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SWITCH.md");
    let document = document();
    if std::env::var_os("CALLHOME_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &document).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap();
    let stale = "docs/SWITCH.md is stale: CALLHOME_BLESS=1 cargo test published";
    assert!(published == document, "{stale}");
}

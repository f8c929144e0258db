//! What holds whatever the sources say.

use std::ffi::OsString;
use std::path::PathBuf;

use proptest::prelude::*;

use super::ci::CiPolicy;
use super::decision::{Decision, Mode};
use super::rules::{Reach, Surroundings, Switch};
use super::source::{Polarity, Setting};
use super::words::{Meaning, WORDS};
use crate::error::ErrorKind;

/// A folder of this test's own.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("callhome-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(super) fn file(&self, content: &[u8]) -> PathBuf {
        let path = self.0.join("config.json");
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn decide_in(switch: &Switch, reach: Reach, executable: &str, variables: &Variables) -> Decision {
    let lookup = |name: &str| {
        variables.iter().find(|(other, _)| *other == name).and_then(|(_, value)| value.clone())
    };
    let here = Surroundings { lookup: &lookup, executable: &|| Some(executable.into()) };
    switch.decide_in(reach, &here).unwrap()
}

fn decide(switch: &Switch, variables: &Variables) -> Decision {
    decide_in(switch, Reach::Beyond, "/usr/bin/shop", variables)
}

type Variables<'a> = [(&'a str, Option<OsString>)];

fn opt_out() -> Switch {
    let mut switch = Switch::default();
    switch.by_default(Mode::On);
    switch
}

/// What a value says, found out apart from the code: `None` is nothing, `Some(None)` unknown.
fn meaning(value: &Option<OsString>) -> Option<Option<Meaning>> {
    let Some(text) = value.as_ref()?.to_str() else { return Some(None) };
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty() {
        return None;
    }
    let mut all =
        WORDS.iter().flat_map(|(meaning, words)| words.iter().map(|word| (*word, *meaning)));
    Some(all.find(|(word, _)| *word == text).map(|(_, meaning)| meaning))
}

/// A value of a variable: unset, a word in some spelling, text, or bytes.
fn value() -> impl Strategy<Value = Option<OsString>> {
    let words: Vec<&str> = WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
    let word = (prop::sample::select(words), "[ \t]{0,2}", any::<bool>()).prop_map(
        |(word, space, upper)| {
            let word = if upper { word.to_uppercase() } else { word.to_owned() };
            OsString::from(format!("{space}{word}{space}"))
        },
    );
    #[cfg(unix)]
    let bytes =
        prop::collection::vec(1..=255u8, 0..8).prop_map(std::os::unix::ffi::OsStringExt::from_vec);
    #[cfg(not(unix))]
    let bytes = any::<String>().prop_map(OsString::from);
    prop_oneof![
        2 => Just(None),
        4 => word.prop_map(Some),
        2 => "[ -~]{0,8}".prop_map(|text| Some(text.into())),
        1 => bytes.prop_map(Some),
    ]
}

proptest! {
    #[test]
    fn no_source_beats_a_stronger_no_and_nothing_unknown_means_on(
        values in prop::collection::vec(value(), 5),
        on_file in any::<Option<bool>>(),
        opt_in in any::<bool>(),
        policy in prop::sample::select(vec![CiPolicy::Drop, CiPolicy::Tag, CiPolicy::Count]),
    ) {
        let folder = Folder::new("order");
        let mut switch = Switch::default();
        switch.by_default(if opt_in { Mode::Off } else { Mode::On });
        switch.ci(policy);
        switch.variable(Polarity::Permits, "APP".into());
        switch.variable(Polarity::OptsOut, "OUT".into());
        let given = values[3].clone().map_or_else(Setting::default, Setting::from);
        switch.setting(Polarity::Permits, "--flag".into(), given);
        let path = folder.0.join("config.json");
        if let Some(on) = on_file {
            folder.file(format!("{{\"telemetry\": {on}}}").as_bytes());
        }
        switch.file(path, "telemetry".into());
        let [dnt, app, out, flag, ci] = [0, 1, 2, 3, 4].map(|at: usize| values[at].clone());
        let decision = decide(&switch, &[
            ("DO_NOT_TRACK", dnt.clone()),
            ("APP", app.clone()),
            ("OUT", out.clone()),
            ("CI", ci.clone()),
        ]);
        let says = |value, yes, no| meaning(value).map(|meaning| match meaning {
            Some(Meaning::Yes) => yes,
            Some(Meaning::No) => no,
            Some(Meaning::Local) => Mode::Local,
            None => Mode::Off,
        });
        // The same, written down as plainly as possible.
        let forbidden = !matches!(meaning(&dnt), None | Some(Some(Meaning::No)));
        let in_ci = !matches!(meaning(&ci), None | Some(Some(Meaning::No)));
        let variables = [says(&app, Mode::On, Mode::Off), says(&out, Mode::Off, Mode::On)];
        let expected = if forbidden {
            Mode::Off
        } else if let Some(mode) = variables.into_iter().flatten().min() {
            mode
        } else if let Some(mode) = says(&flag, Mode::On, Mode::Off) {
            mode
        } else if let Some(on) = on_file {
            if on { Mode::On } else { Mode::Off }
        } else if opt_in || (policy == CiPolicy::Drop && in_ci) {
            Mode::Off
        } else {
            Mode::On
        };
        prop_assert_eq!(decision.mode(), expected, "{}", decision);
        prop_assert_eq!(decision.is_on(), expected == Mode::On);
    }

    #[test]
    fn no_value_is_ever_shown(secret in "[G-Z]{3}[0-9]{8}[a-z]{0,9}") {
        let folder = Folder::new("secret");
        let text = format!("{{\"telemetry\": \"{secret}\", \"{secret}\": 1}}");
        let path = folder.file(text.as_bytes());
        let broken = folder.0.join("broken.json");
        std::fs::write(&broken, format!("{{\"telemetry\": {secret}}}")).unwrap();
        let mut decisions = Vec::new();
        let files = [(&path, "the file"), (&broken, "the file")];
        let sources = ["DO_NOT_TRACK", "APP", "OUT", "--flag", "CI"].map(|set| (&path, set));
        for (file, set) in files.into_iter().chain(sources) {
            let mut switch = opt_out();
            switch.ci(CiPolicy::Drop);
            switch.variable(Polarity::Permits, "APP".into());
            switch.variable(Polarity::OptsOut, "OUT".into());
            let given = (set == "--flag").then(|| secret.clone());
            switch.setting(Polarity::OptsOut, "--flag".into(), given.into());
            if set != "CI" {
                switch.file(file.clone(), "telemetry".into());
            }
            let decision = decide(&switch, &[(set, Some(secret.clone().into()))]);
            prop_assert_eq!(decision.mode(), Mode::Off);
            prop_assert!(decision.rule() != "default");
            let shown = format!("{decision} {decision:?} {:?} {switch:?}", decision.warning());
            prop_assert!(!shown.contains(&secret), "{}", shown);
            decisions.push(decision);
        }
        let warned = decisions.iter().filter(|decision| decision.warning().is_some());
        prop_assert_eq!(warned.count(), 5, "all but DO_NOT_TRACK and CI");
    }
}

#[test]
fn a_warning_names_the_variable_and_what_each_word_does_there() {
    let warning = |polarity| {
        let mut switch = opt_out();
        switch.variable(polarity, "APP".into());
        decide(&switch, &[("APP", Some("what".into()))]).warning().unwrap()
    };
    let begin = "telemetry: off (APP has an unknown value): set APP to one of ";
    let (permits, opts_out) = (warning(Polarity::Permits), warning(Polarity::OptsOut));
    assert!(permits.starts_with(&format!("{begin}1, true,")), "{permits}");
    assert!(opts_out.starts_with(&format!("{begin}0, false,")), "{opts_out}");
    for (_, words) in WORDS {
        for word in words {
            assert!(permits.contains(word) && opts_out.contains(word), "{word}");
        }
    }
}

#[test]
fn a_weaker_source_is_not_asked() {
    let mut switch = opt_out();
    switch.variable(Polarity::Permits, "APP".into());
    switch.ci(CiPolicy::Count);
    for (set, asked) in [(Some("DO_NOT_TRACK"), "DO_NOT_TRACK "), (None, "DO_NOT_TRACK APP ")] {
        let seen = std::cell::RefCell::new(String::new());
        let lookup = |name: &str| {
            seen.borrow_mut().push_str(&format!("{name} "));
            (Some(name) == set).then(|| "1".into())
        };
        let here = Surroundings { lookup: &lookup, executable: &|| None };
        switch.decide_in(Reach::Beyond, &here).unwrap();
        let seen = seen.into_inner();
        assert!(seen.starts_with(asked), "{seen}");
        assert_eq!(seen.contains("APP"), set.is_none(), "{seen}");
    }
}

#[test]
fn under_cargo_test_nothing_leaves_unless_it_is_asked_for() {
    let test = "/shop/target/debug/deps/shop-9949de8168e972d0";
    let decide = |change: fn(&mut Switch), reach, app: &str| {
        let mut switch = opt_out();
        switch.variable(Polarity::Permits, "APP".into());
        change(&mut switch);
        decide_in(&switch, reach, test, &[("APP", Some(app.into()))]).to_string()
    };
    let off = "telemetry: off (cargo test)";
    assert_eq!(decide(|_| {}, Reach::Beyond, ""), off);
    assert_eq!(decide(|_| {}, Reach::Beyond, "on"), off, "a shell's variable is not the test");
    assert_eq!(decide(|_| {}, Reach::Beyond, "off"), "telemetry: off (APP=off)");
    assert_eq!(decide(|_| {}, Reach::Beyond, "local"), "telemetry: local (APP=local)");
    assert_eq!(decide(|_| {}, Reach::Machine, ""), "telemetry: on (default)");
    assert_eq!(decide(|_| {}, Reach::Nowhere, ""), "telemetry: on (default)");
    assert_eq!(decide(|s| s.in_tests(true), Reach::Beyond, ""), "telemetry: on (default)");
    assert_eq!(decide(|s| s.in_tests(false), Reach::Beyond, ""), off);
}

#[test]
fn the_default_must_be_chosen_where_reports_would_go() {
    let here = Surroundings { lookup: &|_| None, executable: &|| None };
    for reach in [Reach::Machine, Reach::Beyond] {
        let error = Switch::default().decide_in(reach, &here).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains("`opt_out`") && text.contains("`opt_in`"), "{text}");
    }
    assert!(Switch::default().decide_in(Reach::Nowhere, &here).unwrap().is_on());
}

#[test]
fn the_ci_system_is_told_unless_the_policy_is_not_to() {
    for (policy, ci) in
        [(CiPolicy::Drop, Some("GITLAB")), (CiPolicy::Tag, Some("GITLAB")), (CiPolicy::Count, None)]
    {
        let mut switch = opt_out();
        switch.ci(policy);
        let decision = decide(&switch, &[("GITLAB_CI", Some("true".into()))]);
        assert_eq!(decision.ci(), ci);
        assert_eq!(decision.is_on(), policy != CiPolicy::Drop);
        assert_eq!(decide(&switch, &[]).ci(), None);
    }
}

#[test]
fn a_name_that_nothing_can_have_is_refused() {
    let refused = |change: &dyn Fn(&mut Switch), named: &str| {
        let mut switch = opt_out();
        change(&mut switch);
        let here = Surroundings { lookup: &|_| None, executable: &|| None };
        let error = switch.decide_in(Reach::Beyond, &here).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(named), "{error}");
    };
    for name in ["", "A=B", "=", "A\0B", "DO_NOT_TRACK", "do_not_track"] {
        let named = format!("{name:?}");
        refused(&|s| s.variable(Polarity::Permits, name.into()), &named);
        refused(&|s| s.variable(Polarity::OptsOut, name.into()), &named);
    }
    for name in ["", " ", "--a\nb"] {
        let named = format!("{name:?}");
        refused(&|s| s.setting(Polarity::Permits, name.into(), Setting::default()), &named);
    }
    for key in ["", ".", "a.", "a..b", "a\tb"] {
        refused(&|s| s.file("f".into(), key.into()), &format!("{key:?}"));
    }
    refused(&|s| s.file("".into(), "a".into()), "\"a\"");
    let mut switch = opt_out();
    for name in ["_x1", "app.telemetry", "ÄPP"] {
        switch.variable(Polarity::Permits, name.into());
    }
    assert!(decide(&switch, &[]).is_on());
}

#[test]
fn each_product_is_switched_off_by_what_its_page_says() {
    let off = |polarity, name: &str, value: &str, rule: &str| {
        let mut switch = opt_out();
        switch.variable(polarity, name.into());
        let decision = decide(&switch, &[(name, Some(value.into()))]);
        assert_eq!(decision.to_string(), format!("telemetry: off ({rule})"));
    };
    let (permits, opts_out) = (Polarity::Permits, Polarity::OptsOut);
    off(permits, "ELECTRIC_TELEMETRY", "disabled", "ELECTRIC_TELEMETRY=disabled");
    off(permits, "ZO_TELEMETRY", "false", "ZO_TELEMETRY=false");
    let hasura = "HASURA_GRAPHQL_ENABLE_TELEMETRY";
    off(permits, hasura, "false", "HASURA_GRAPHQL_ENABLE_TELEMETRY=false");
    let resoto = "RESOTOCORE_ANALYTICS_OPT_OUT";
    off(opts_out, resoto, "true", "RESOTOCORE_ANALYTICS_OPT_OUT=true");
}

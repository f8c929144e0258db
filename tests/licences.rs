//! The licences of all that a build with every feature brings, on every platform.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};

/// Those that ask for no more than a notice.
const ALLOWED: [&str; 7] =
    ["Apache-2.0", "BSD-3-Clause", "CDLA-Permissive-2.0", "ISC", "MIT", "Unicode-3.0", "Zlib"];

/// The packages, and their licences as they say them; without those of tests.
fn packages() -> BTreeMap<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked", "--all-features"]);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let resolve = &metadata["resolve"];
    let nodes = resolve["nodes"].as_array().unwrap();
    let nodes: BTreeMap<&str, &Value> =
        nodes.iter().map(|n| (n["id"].as_str().unwrap(), n)).collect();

    let mut used = BTreeSet::new();
    let mut open = vec![resolve["root"].as_str().unwrap()];
    while let Some(id) = open.pop() {
        if !used.insert(id) {
            continue;
        }
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                open.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    let packages = metadata["packages"].as_array().unwrap().iter();
    let used = packages.filter(|package| used.contains(package["id"].as_str().unwrap()));
    used.map(|package| {
        let part = |part: &str| package[part].as_str().unwrap_or_default();
        (format!("{} {}", part("name"), part("version")), part("license").to_owned())
    })
    .collect()
}

/// The licences that an expression needs of those that are allowed; `None` if they do not do.
fn needs(licence: &str) -> Option<BTreeSet<&'static str>> {
    let expression = Expression::parse_mode(licence, ParseMode::LAX).ok()?;
    let mut needed = BTreeSet::new();
    let holds = expression.evaluate(|requirement| {
        // With an exception a licence asks for less.
        let id = requirement.license.id().map(|id| id.name).unwrap_or_default();
        let allowed = ALLOWED.iter().find(|allowed| **allowed == id);
        needed.extend(allowed);
        allowed.is_some()
    });
    holds.then_some(needed)
}

#[test]
fn every_licence_is_allowed_and_no_other_is_listed() {
    let packages = packages();
    assert!(packages.len() > 50, "{packages:#?}");
    let mut needed = BTreeSet::new();
    for (package, licence) in &packages {
        let needs = needs(licence);
        assert!(needs.is_some(), "{package} has the licence {licence:?}");
        needed.extend(needs.into_iter().flatten());
    }
    assert_eq!(needed, BTreeSet::from(ALLOWED), "what is not needed should not be allowed");
    for (licence, holds) in [
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only AND MIT", false),
        ("GPL-3.0-only", false),
        ("", false),
    ] {
        assert_eq!(needs(licence).is_some(), holds, "{licence}");
    }
}

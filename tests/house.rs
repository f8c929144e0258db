//! The house: which module may use which, where the clock is read, how long a file may be; and
//! that the documents say what is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The manifest as it was written; in a package cargo has another in its place.
fn manifest() -> String {
    fs::read_to_string(root().join("Cargo.toml.orig")).unwrap_or_else(|_| read("Cargo.toml"))
}

/// Every source file, and its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(root().join("src")).unwrap().to_owned(), text));
            }
        }
    }
    files
}

/// The module of the top level that a file belongs to.
fn module(file: &Path) -> String {
    let first = file.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

/// The modules, lowest first, as DESIGN.md lists them.
fn floors() -> Vec<String> {
    let design = read("DESIGN.md");
    let house = design.split("## The house").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = house.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}

#[test]
fn a_module_uses_only_modules_below_it() {
    let floors = floors();
    let floor = |module: &str| floors.iter().position(|other| other == module);
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let own = module(&file);
        if own == "lib" {
            continue;
        }
        let Some(own_floor) = floor(&own) else {
            wrong.push(format!("{own} is not in DESIGN.md's table"));
            continue;
        };
        // A macro's `$crate` is for those who use it.
        let lines: Vec<String> = code(&text).map(|line| line.replace("$crate::", "")).collect();
        for used in lines.iter().flat_map(|line| line.split("crate::").skip(1)) {
            let used: String =
                used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            match floor(&used) {
                Some(used_floor) if used == own || used_floor < own_floor => {}
                _ => wrong.push(format!("{} uses crate::{used}", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let there: BTreeSet<String> = sources().iter().map(|(file, _)| module(file)).collect();
    let listed: BTreeSet<String> = floors.into_iter().chain(["lib".into()]).collect();
    assert_eq!(there, listed, "the table and the tree");
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for (file, text) in sources() {
        let opening = if file == Path::new("lib.rs") { "#![cfg_attr" } else { "//!" };
        assert!(text.starts_with(opening), "{} does not say what it is", file.display());
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
    }
}

#[test]
fn one_module_reads_the_clock_and_one_speaks_http() {
    let homes = [("Instant::now", "clock"), ("SystemTime::now", "clock"), ("ureq::", "sink")];
    for (file, text) in sources() {
        let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
        for (word, home) in homes {
            let used = code(&text[..tests]).any(|line| line.contains(word));
            assert!(!used || module(&file) == home, "{} uses {word}", file.display());
        }
    }
}

/// The library never panics, but for the assertions of the kit for tests, which a release build does
/// not have.
#[test]
fn the_kit_for_tests_alone_may_panic_and_is_for_tests_alone() {
    let lib = read("src/lib.rs");
    assert!(lib.contains("warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)"));
    assert!(lib.contains("#[cfg(feature = \"testing\")]\npub mod testing;"));
    for (file, text) in sources() {
        let allowed =
            code(&text).any(|line| line.contains("allow(") && line.contains("clippy::panic"));
        assert_eq!(allowed, file == Path::new("testing/mod.rs"), "{}", file.display());
    }
    let manifest = manifest();
    let default = manifest.lines().find(|line| line.starts_with("default = ")).unwrap();
    assert!(!default.contains("testing"), "{default}");
}

/// Who somebody is stands in the environment, in files and in the answers of a few functions. None
/// of them is asked. (That none is asked by a dependency either is what `tests/off.rs` traces.)
#[test]
fn nothing_reads_who_the_machine_or_its_user_is() {
    let words = [
        "hostname",
        "host_name()",
        "machine-id",
        "machine_id",
        "machineguid",
        "whoami",
        "uname",
        "getuid",
        "getlogin",
        "home_dir",
        "mac_address",
        "networks::",
        "users::",
        "product_uuid",
        "env::vars",
        "\"user\"",
        "\"username\"",
        "\"logname\"",
        "\"home\"",
        "\"computername\"",
        "\"userprofile\"",
        "\"/etc/",
        "\"/sys/",
        "\"/var/",
    ];
    for (file, text) in sources() {
        if file.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests")) {
            continue;
        }
        let tests = text.find("#[cfg(test)]\nmod").or(text.find("#[cfg(test)]\n#[allow"));
        let text = &text[..tests.unwrap_or(text.len())];
        if file == Path::new("switch/published.rs") {
            continue; // a test, which writes a document
        }
        let name = file.display();
        for line in code(text) {
            let lower = line.to_lowercase();
            let read = words.iter().find(|word| lower.contains(**word));
            assert_eq!(read, None, "{name}: {line}");
            // Variables by name: those of the switch, of proxies, and of tests that write documents.
            let variable = line.contains("env::var");
            let homes = ["switch/rules.rs", "sink/http/post.rs", "artefact/current.rs"];
            let may = homes.map(Path::new).contains(&&*file);
            assert!(!variable || may, "{name}: {line}");
            let process = !line.contains("\"/proc/") || line.contains("\"/proc/self/status\"");
            assert!(process, "{name}: {line}");
        }
    }
    let manifest = manifest();
    let sysinfo = manifest.lines().find(|line| line.starts_with("sysinfo")).unwrap();
    assert!(sysinfo.contains("default-features = false, features = [\"system\"]"), "{sysinfo}");
    let uuid = manifest.lines().find(|line| line.starts_with("uuid")).unwrap();
    assert!(uuid.contains("features = [\"std\", \"v4\"]"), "{uuid}");
    for package in ["hostname", "gethostname", "whoami", "machine-uid", "mac_address", "uname"] {
        let named = format!("name = \"{package}\"");
        assert!(!read("Cargo.lock").contains(&named), "{package}");
    }
}

#[test]
fn the_documents_name_the_defaults_that_the_code_has() {
    let parts =
        ["mod", "delivery", "events", "wire"].map(|part| read(&format!("src/builder/{part}.rs")));
    let builder = parts.concat();
    for (code, document) in [
        ("EVERY: Duration = Duration::from_secs(4 * 60 * 60)", "Default: 4 hours."),
        ("FIRST_AFTER: Duration = Duration::from_secs(10 * 60)", "Default: 10 minutes,"),
        ("SAMPLE_EVERY: Duration = Duration::from_secs(2)", "Default: 2 seconds."),
        ("ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30)", "Default: 30 seconds."),
        ("MAX_ATTEMPTS: u32 = 4", "Default: 4."),
        ("MAX_PENDING: usize = 64", "Default: 64."),
        ("MAX_PENDING_BYTES: usize = 4 << 20", "Default: 4 MiB."),
        ("MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60)", "Default: 7 days."),
        ("MAX_BODY: usize = 1 << 20", "Default: 1 MiB."),
        ("MAX_EVENTS: usize = 1000", "Default: 1000."),
        ("SHORTEST: Duration = Duration::from_millis(100)", "At least 100 ms."),
    ] {
        assert!(builder.contains(code) && builder.contains(document), "{code}: {document}");
    }
}

#[test]
fn the_readme_names_the_words_of_the_switch() {
    let (words, readme) = (read("src/switch/words.rs"), read("README.md"));
    let table = words.split("const WORDS: ").nth(1).unwrap().split("];").next().unwrap();
    let words: Vec<&str> = table.split('"').skip(1).step_by(2).collect();
    assert!(words.len() >= 20, "{words:?}");
    for word in words {
        assert!(readme.contains(&format!("`{word}`")), "README.md does not name {word}");
    }
}

#[test]
fn the_page_on_privacy_names_what_there_is() {
    let page = read("docs/PRIVACY.md");
    assert!(page.lines().count() < 90, "a page");
    let code = [
        "schema/tree",
        "schema/recorded",
        "builder/ids",
        "schema/transform",
        "callhome/mod",
        "callhome/live",
    ]
    .map(|file| read(&format!("src/{file}.rs")))
    .concat();
    for name in [
        "instance_id",
        "cluster_id",
        "cluster_id_source",
        "cluster_id_rotates",
        "transform",
        "mergeable",
        "distinct_key",
        "distinct_key_file",
        "panics",
        "preview",
        "set_enabled",
    ] {
        assert!(page.contains(name) && code.contains(&format!("pub fn {name}")), "{name}");
    }
    for variant in ["AtLeast", "Digits"] {
        assert!(page.contains(variant) && code.contains(variant), "{variant}");
    }
    assert!(root().join("docs/SWITCH.md").exists() && page.contains("(SWITCH.md)"));
    assert!(read("README.md").contains("(docs/PRIVACY.md)"));
}

#[test]
fn the_changelog_has_an_unreleased_part_and_the_manifest_a_version() {
    assert!(read("CHANGELOG.md").contains("\n## Unreleased\n"));
    assert!(read("README.md").contains(env!("CARGO_PKG_RUST_VERSION")));
}

//! What must not be found: the environment of this process, and what is marked.

use std::fs;
use std::path::Path;

/// In everything that is recorded and not declared. Any escaping leaves it as it is.
pub(crate) const MARK: &str = "lEaK7";

/// What this process could tell about its machine and its user: variables, names, addresses.
/// Without what may be there by chance: the source of the crate has it, or it is a number or a date.
pub(crate) fn environment() -> Vec<String> {
    let mut found: Vec<String> = std::env::vars().map(|(_, value)| value).collect();
    for file in ["/proc/sys/kernel/hostname", "/etc/hostname", "/etc/machine-id"] {
        found.extend(fs::read_to_string(file));
    }
    for interface in fs::read_dir("/sys/class/net").into_iter().flatten().flatten() {
        found.extend(fs::read_to_string(interface.path().join("address")));
    }
    let routes = fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let addresses = routes.lines().filter_map(|line| line.trim().strip_prefix("|-- "));
    found.extend(addresses.filter(|address| !address.starts_with("127.")).map(str::to_owned));
    let paths = [std::env::current_dir(), std::env::current_exe()];
    found.extend(
        paths.into_iter().flatten().filter_map(|path| path.into_os_string().into_string().ok()),
    );

    let source = source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut found: Vec<String> = found.iter().map(|one| one.trim().to_owned()).collect();
    found.retain(|one| {
        let by_chance = one.chars().all(|c| c.is_ascii_hexdigit() || "-:. ".contains(c));
        one.len() >= 4
            && !(by_chance && (one.len() < 7 || one.starts_with("20")))
            && !source.contains(one)
    });
    found.sort();
    found.dedup();
    found
}

/// All of the crate's source.
fn source(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = entries.map(|path| match path.is_dir() {
        true => source(&path),
        false => fs::read_to_string(path).unwrap(),
    });
    texts.collect()
}

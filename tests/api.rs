//! The public interface, as rustdoc has it, is the one that is committed: a change of it is seen.
//!
//! `cargo test --test api -- --ignored` compares, and with `CALLHOME_BLESS=1` writes the listing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Traits that the compiler implements.
const BY_THEMSELVES: [&str; 8] = [
    "Freeze",
    "RefUnwindSafe",
    "Send",
    "StructuralPartialEq",
    "Sync",
    "Unpin",
    "UnsafeUnpin",
    "UnwindSafe",
];

/// Where rustdoc puts the pages of the crate, made anew.
fn pages() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    command.args(["doc", "--locked", "--no-deps", "--all-features", "--lib"]);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let test = std::env::current_exe().unwrap(); // target/<profile>/deps/<test>-<hash>
    test.ancestors().nth(3).unwrap().join("doc/callhome")
}

/// A piece of a page as text, on one line.
fn text(html: &str) -> String {
    let mut text = String::new();
    for (at, part) in html.split('<').enumerate() {
        text.push_str(if at == 0 {
            part
        } else {
            part.split_once('>').map_or("", |(_, rest)| rest)
        });
    }
    for (entity, sign) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, sign);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is between the first `begin` and the next `end`.
fn between<'a>(html: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(begin)?;
    Some(rest.split_once(end)?.0)
}

/// The lines of one item: its declaration, its methods, and the traits that it implements.
fn item(page: &str) -> Vec<String> {
    let declaration = between(page, "<pre class=\"rust item-decl\"><code>", "</code></pre>");
    let declaration = declaration.or_else(|| between(page, "<pre class=\"rust macro\">", "</pre>"));
    let mut lines = vec![text(declaration.unwrap_or_default())];
    let is_trait = lines[0].starts_with("pub trait ");
    // What every type has is behind this.
    let own = page.split("id=\"blanket-implementations\"").next().unwrap_or_default();
    for section in own.split("<section id=\"").skip(1) {
        let (id, class) = (section.split('"').next(), between(section, "class=\"", "\""));
        let header = between(section, "class=\"code-header\">", "</h");
        let (Some(id), Some(class), Some(header)) = (id, class, header) else { continue };
        let is_method = class.starts_with("method") && !class.contains("trait-impl");
        let is_trait_of_it = class == "impl" && id.contains("-for-") && !is_trait;
        let header = text(header);
        let of = header.split_whitespace().nth(1).unwrap_or_default();
        // Of the traits that come by themselves only what is missing says something.
        let is_said = !BY_THEMSELVES.contains(&of.trim_start_matches('!'))
            || ["!Send", "!Sync"].contains(&of);
        if is_method || is_trait_of_it && is_said {
            lines.push(format!("    {header}"));
        }
    }
    lines
}

fn listing(pages: &Path) -> String {
    let all = fs::read_to_string(pages.join("all.html")).unwrap();
    let links = all.split("<li><a href=\"").skip(1);
    let mut items: Vec<(String, Vec<String>)> = links
        .filter_map(|link| link.split_once('"').filter(|(href, _)| !href.starts_with('#')))
        .map(|(href, rest)| {
            let name = between(rest, ">", "</a>").unwrap_or_default().to_owned();
            (name, item(&fs::read_to_string(pages.join(href)).unwrap()))
        })
        .collect();
    items.sort();
    let mut listing =
        String::from("# The public interface with all features; see `tests/api.rs`.\n");
    for (name, lines) in items {
        listing.push_str(&format!("\n{name}\n  {}\n", lines.join("\n")));
    }
    listing
}

#[test]
#[ignore = "runs rustdoc"]
fn the_public_interface_is_the_one_that_is_committed() {
    let listing = listing(&pages());
    for known in [
        "CallHome\n",
        "    pub fn flush(&self) -> Result<Report, Error>\n",
        "    impl Sink for MemorySink\n",
    ] {
        assert!(listing.contains(known), "the pages are not read rightly: {known}\n{listing}");
    }
    callhome::assert_page_current!("docs/api.txt", listing);
}

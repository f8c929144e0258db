//! Counting the process's panics, by where in the source they are.

use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Once, OnceLock};

use crate::cell::Counter;
use crate::registry::{Cell, Registry};
use crate::schema::Kind;

/// The fields of one registry, and those of the next that came. A list that only grows, so the hook
/// takes no lock: a thread may panic anywhere, even with one held.
struct Watched {
    registry: Arc<Registry>,
    /// In the schema's order: the classes of a section, each with a part of its paths, and then the
    /// one for all others.
    classes: Vec<(Option<String>, Arc<Counter>)>,
    next: OnceLock<Box<Watched>>,
}

static FIRST: OnceLock<Box<Watched>> = OnceLock::new();
static HOOK: Once = Once::new();

/// Counts panics for the fields that this registry has for them, from now on and for good; the same
/// registry once. Nothing happens if it has none.
///
/// The hook of the process runs after the counting. It is not taken out again: somebody may have
/// put another around it. While nothing is collected it does nothing but call that one.
pub(crate) fn watch(registry: &Arc<Registry>) {
    let fields = registry.fields().filter_map(|(leaf, cell)| match (&leaf.field.kind, cell) {
        (Kind::Panics(part), Cell::Counter(counter)) => Some((part.clone(), Arc::clone(counter))),
        _ => None,
    });
    let classes: Vec<_> = fields.collect();
    // A panicking thread cannot change the hook.
    if classes.is_empty() || is_watched(registry) || std::thread::panicking() {
        return;
    }
    let registry = Arc::clone(registry);
    let mut new = Box::new(Watched { registry, classes, next: OnceLock::new() });
    let mut last = &FIRST;
    while let Err(back) = last.set(new) {
        new = back;
        let Some(there) = last.get() else { return };
        last = &there.next;
    }
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            count(info);
            previous(info);
        }));
    });
}

fn all() -> impl Iterator<Item = &'static Watched> {
    std::iter::successors(FIRST.get(), |watched| watched.next.get()).map(|watched| &**watched)
}

fn is_watched(registry: &Arc<Registry>) -> bool {
    all().any(|watched| Arc::ptr_eq(&watched.registry, registry))
}

/// Counts a panic. It neither allocates nor waits, and uses no thread-local: the thread may be
/// anywhere, also in an allocator and at its end.
fn count(info: &PanicHookInfo<'_>) {
    let file = info.location().map_or("", |location| location.file());
    for watched in all().filter(|watched| watched.registry.collects()) {
        let mut found = false;
        for (part, counter) in &watched.classes {
            let here = part.as_ref().is_none_or(|part| has(file, part));
            if here && !found {
                counter.add_homeless(1);
            }
            // The one for all others is the last of its section.
            found = part.is_some() && (found || here);
        }
    }
}

/// Whether a path has this part, whichever way the compiler's machine writes slashes.
fn has(path: &str, part: &str) -> bool {
    let slash = |byte: u8| if byte == b'\\' { b'/' } else { byte };
    let same = |here: &[u8]| here.iter().zip(part.as_bytes()).all(|(a, b)| slash(*a) == slash(*b));
    !part.is_empty() && path.as_bytes().windows(part.len()).any(same)
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn a_part_of_a_path_is_found_on_any_system() {
        assert!(has("src/storage/disk.rs", "src/storage/"));
        assert!(has("crates\\db\\src\\storage\\disk.rs", "src/storage/"));
        assert!(has("/build/shop/src/storage/disk.rs", "src\\storage\\"));
        assert!(!has("src/stores.rs", "src/storage/"));
        assert!(!has("", "src/") && !has("src", "src/") && !has("src/lib.rs", ""));
    }
}

//! Counting the process's panics, by where in the source they are.

use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, PoisonError, RwLock, TryLockError, Weak};
use std::thread;

use crate::cell::Counter;
use crate::registry::{Cell, Registry};
use crate::schema::Kind;

/// The fields of one registry.
struct Watched {
    registry: Weak<Registry>,
    collecting: Arc<AtomicBool>,
    /// In the schema's order: the classes of a section, each with a part of its paths, and then the
    /// one for all others.
    classes: Vec<(Option<String>, Arc<Counter>)>,
}

/// Written when a report comes, for as long as it takes to add to a list. The standard library's
/// lock: to try it takes no memory and no thread-local.
static WATCHED: RwLock<Vec<Watched>> = RwLock::new(Vec::new());
static HOOK: Once = Once::new();

/// How often the hook looks whether the list can be read. A thread may panic anywhere, also where
/// the list is being written, so it must not wait for ever.
const LOOKS: usize = 1000;

/// Counts panics for the fields that this registry has for them, as long as it is there; the same
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
    if classes.is_empty() || thread::panicking() {
        return;
    }
    let (collecting, weak) = (registry.collecting(), Arc::downgrade(registry));
    let mut watched = WATCHED.write().unwrap_or_else(PoisonError::into_inner);
    watched.retain(|one| one.registry.strong_count() > 0);
    if !watched.iter().any(|one| Weak::ptr_eq(&one.registry, &weak)) {
        watched.push(Watched { registry: weak, collecting, classes });
    }
    drop(watched);
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            count(info);
            previous(info);
        }));
    });
}

/// Counts a panic. It neither allocates nor waits for long, and uses no thread-local: the thread may
/// be anywhere, also in an allocator and at its end.
fn count(info: &PanicHookInfo<'_>) {
    let file = info.location().map_or("", |location| location.file());
    let list = (0..LOOKS).find_map(|_| match WATCHED.try_read() {
        Ok(list) => Some(list),
        Err(TryLockError::Poisoned(list)) => Some(list.into_inner()),
        Err(TryLockError::WouldBlock) => {
            thread::yield_now();
            None
        }
    });
    let list = list.iter().flat_map(|list| list.iter());
    for watched in list.filter(|watched| watched.collecting.load(Ordering::Relaxed)) {
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

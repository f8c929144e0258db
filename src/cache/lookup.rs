//! From a key to the calling thread's handle.

use std::sync::Arc;

use metrics::Key;

use super::kept::{KEPT, Keep};
use super::map::Place;
use crate::cell;
use crate::handle::Made;
use crate::routes::Routes;

/// The calling thread's handle for `key`.
#[inline]
pub(crate) fn handle<H: Keep>(routes: &Arc<Routes>, key: &Key) -> H {
    // The facade's accessors are not inlined: each is called once.
    let name = key.name();
    if routes.lacks(name) {
        return undeclared(routes);
    }
    let place = Place { name, labels: key.labels().as_slice() };
    let kept = KEPT.try_with(|kept| {
        let kept = kept.try_borrow().ok()?;
        let of = kept.find(routes)?;
        let seen = || H::sightings(of)?.find(key, place);
        H::map(of).find(key, place).or_else(seen).cloned()
    });
    kept.ok().flatten().unwrap_or_else(|| make(routes, key))
}

#[inline]
fn undeclared<H: Keep>(routes: &Routes) -> H {
    routes.first().tallies().undeclared.add(1);
    H::noop()
}

/// Makes a handle, and keeps it for the next call.
#[cold]
fn make<H: Keep>(routes: &Arc<Routes>, key: &Key) -> H {
    if cell::is_aside() {
        // An allocator that uses the macros would come here again for each handle it makes.
        routes.first().tallies().refused.add(1);
        return H::noop();
    }
    cell::aside(|| {
        // The first time a thread is here it may find what another thread has left.
        let left = KEPT.try_with(|kept| {
            let mut kept = kept.try_borrow_mut().ok()?;
            if kept.find(routes).is_some() { None } else { kept.of(routes)?.find(key) }
        });
        if let Ok(Some(handle)) = left {
            return handle;
        }
        let present = routes.present();
        let (handle, once) = match present.make::<H>(key) {
            Made::Kept(handle) => (handle, false),
            Made::Once(handle) => (handle, true),
            Made::Undeclared => return undeclared(routes),
            Made::Mismatched => return H::noop(),
        };
        // A thread that is ending keeps nothing; its next call makes another.
        let _ = KEPT.try_with(|kept| {
            kept.try_borrow_mut().ok()?.of(routes)?.keep(&present, key, &handle, once)
        });
        handle
    })
}

//! Recording in the destructors of thread-locals, while the thread's own storage goes or is gone.

use std::cell::RefCell;
use std::thread;

use super::{Handles, Totals, aggregator, flushed};
use callhome::Recorder;
use metrics::with_local_recorder;

/// More than a thread keeps to itself before it hands samples over.
const TIMES: u64 = 300;

/// Does something when the thread ends.
struct AtEnd(Option<Box<dyn FnOnce()>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}

thread_local! {
    static END: RefCell<AtEnd> = const { RefCell::new(AtEnd(None)) };
    /// Another, for a destructor to set: the platform then runs it after the first round.
    static LATER: RefCell<AtEnd> = const { RefCell::new(AtEnd(None)) };
}

fn at_end(work: impl FnOnce() + 'static) {
    END.with_borrow_mut(|end| end.0 = Some(Box::new(work)));
}

/// How a destructor reaches the aggregator.
#[derive(Clone, Copy, Debug)]
enum Way {
    Handles,
    Macros,
    LeakedRecorder,
}

/// Something that records `TIMES` times, in this way.
fn records(way: Way, recorder: &Recorder) -> impl FnMut() + Clone + 'static {
    let (recorder, handles) = (recorder.clone(), Handles::of(recorder));
    move || {
        let mut totals = Totals::default();
        let by_macros = |totals: &mut Totals| (0..TIMES).for_each(|_| totals.one(3));
        match way {
            Way::Handles => (0..TIMES).for_each(|_| handles.one(&mut totals, 3)),
            Way::Macros => with_local_recorder(&recorder, || by_macros(&mut totals)),
            Way::LeakedRecorder => {
                let leaked: &'static Recorder = Box::leak(Box::new(recorder.clone()));
                with_local_recorder(leaked, || by_macros(&mut totals));
            }
        }
    }
}

/// The totals of `times` calls of what [`records`] returns.
fn expected(times: u64) -> Totals {
    let mut expected = Totals::default();
    (0..times * TIMES).for_each(|_| expected += Totals::of_one(3));
    expected
}

#[test]
fn a_destructor_records_whether_it_was_there_before_the_first_record_or_came_after() {
    for way in [Way::Handles, Way::Macros, Way::LeakedRecorder] {
        for first in [true, false] {
            for in_life in [Way::Handles, Way::Macros] {
                let callhome = aggregator();
                let mut live = records(in_life, callhome.recorder());
                let end = records(way, callhome.recorder());
                let thread = thread::spawn(move || {
                    if first {
                        at_end(end);
                        live();
                    } else {
                        live();
                        at_end(end);
                    }
                });
                thread.join().unwrap(); // unlike a scope, it waits for destructors
                let case = format!("{way:?} after {in_life:?}, registered first: {first}");
                assert_eq!(flushed(&callhome), expected(2), "{case}");
            }
        }
    }
}

#[test]
fn a_thread_whose_only_record_is_in_a_destructor_and_one_that_sets_another_lose_nothing() {
    for way in [Way::Handles, Way::Macros, Way::LeakedRecorder] {
        let callhome = aggregator();
        let mut end = records(way, callhome.recorder());
        let only = end.clone();
        thread::spawn(move || at_end(only)).join().unwrap();
        assert_eq!(flushed(&callhome), expected(1), "{way:?}");

        let later = end.clone();
        let thread = thread::spawn(move || {
            at_end(move || {
                LATER.with_borrow_mut(|late| late.0 = Some(Box::new(later)));
                end();
            });
        });
        thread.join().unwrap();
        assert_eq!(flushed(&callhome), expected(2), "{way:?}");
    }
}

#[test]
fn a_destructor_may_hold_the_last_of_an_aggregator_that_is_gone() {
    for way in [Way::Handles, Way::Macros, Way::LeakedRecorder] {
        let gone = aggregator();
        let (mut live, mut end) = (records(way, gone.recorder()), records(way, gone.recorder()));
        drop(gone);
        let callhome = aggregator();
        let recorder = callhome.recorder().clone();
        let thread = thread::spawn(move || {
            live();
            at_end(move || {
                end();
                records(Way::Macros, &recorder)();
            });
        });
        thread.join().unwrap();
        assert_eq!(flushed(&callhome), expected(1), "{way:?}");
        assert_eq!(flushed(&aggregator()), Totals::default(), "{way:?}");
    }
}

#[test]
fn destructors_of_many_threads_at_once_lose_nothing_under_seals() {
    const ROUNDS: u64 = 60;
    let callhome = aggregator();
    let mut reported = Totals::default();
    for round in 0..ROUNDS {
        let way = [Way::Handles, Way::Macros, Way::LeakedRecorder][round as usize % 3];
        let threads = [(); 4].map(|()| {
            let (mut live, end) =
                (records(way, callhome.recorder()), records(way, callhome.recorder()));
            thread::spawn(move || {
                at_end(end);
                live();
            })
        });
        while !threads.iter().all(thread::JoinHandle::is_finished) {
            reported += flushed(&callhome);
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
    reported += flushed(&callhome);
    assert_eq!(reported, expected(ROUNDS * 4 * 2));
}

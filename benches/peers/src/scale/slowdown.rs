//! Recorders while another thread seals one window after the other.

use std::hint::black_box;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::facade;
use crate::measure::{Costs, Effort, slice_here, times_here};
use crate::reading::{Reading, median};
use crate::recorders;

/// What the other thread does.
const SPIN: u8 = 0;
const SEAL: u8 = 1;
const END: u8 = 2;

/// The cost of a line while a thread flushes in a loop, as a multiple of its cost while that
/// thread only counts: in both cases there is a second thread that wants a processor. The shape is
/// the line; those of histograms record through a handle.
pub fn slowdown(reading: Reading, effort: Effort) -> Reading {
    let callhome = recorders::install(&reading.library, recorders::schema).expect("installed");
    let path = match reading.shape.as_str() {
        "few" | "continuous" => "histogram_handle",
        path => path,
    };
    let work = facade::work(path, &reading.shape).expect("a line of the facade");
    let (does, seals) = (AtomicU8::new(SPIN), AtomicU64::new(0));
    let (mut costs, mut sealing) = (Costs::default(), Duration::ZERO);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                match does.load(Relaxed) {
                    SPIN => (0..100u32).for_each(|at| {
                        black_box(at);
                    }),
                    SEAL => {
                        black_box(callhome.flush().expect("accepted"));
                        seals.fetch_add(1, Relaxed);
                    }
                    _ => break,
                }
            }
        });
        let mut run = work.start();
        let times = times_here(&mut run, effort.slice * 2);
        let pair = || {
            does.store(SPIN, Relaxed);
            let alone = slice_here(&mut run, times);
            does.store(SEAL, Relaxed);
            let begin = Instant::now();
            let beside = slice_here(&mut run, times);
            sealing += begin.elapsed();
            (alone, beside)
        };
        costs = Costs::of(Effort { rounds: 4 * effort.rounds, ..effort }, pair);
        does.store(END, Relaxed);
    });
    let seals_per_ms = seals.load(Relaxed) as f64 / (sealing.as_secs_f64() * 1e3);
    let reading = Reading { disturbed: costs.disturbed, ..reading };
    reading.with("slowdown", vec![median(&costs.ratios())]).with("seals_per_ms", vec![seals_per_ms])
}

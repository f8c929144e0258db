//! A fleet on a virtual clock: the real aggregators, and a receiver that counts seconds.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use callhome::sink::{Hints, Parcel, SendError, Sink};
use callhome::{CallHome, Clock, Moment, Schema};

/// The time within which all instances start.
const START: u64 = 60;

/// Instances, and what happens to their receiver; times are in seconds.
pub(crate) struct Fleet {
    pub(crate) instances: u64,
    /// The interval between two reports of an instance.
    pub(crate) every: u64,
    /// The receiver is down.
    pub(crate) outage: Range<u64>,
    /// It breaks by silence, so that nobody knows what it has, instead of refusing connections.
    pub(crate) silent: bool,
    /// It asks, with each answer, for no report before the end of this.
    pub(crate) pause: Range<u64>,
    pub(crate) end: u64,
}

/// What came to the receiver in each second: while it was up, and while it was down.
#[derive(Clone)]
pub(crate) struct Arrivals {
    pub(crate) up: Vec<u64>,
    pub(crate) down: Vec<u64>,
}

impl Fleet {
    /// Without anything that happens, for so many intervals.
    pub(crate) fn new(instances: u64, every: u64, intervals: u64) -> Fleet {
        let never = 0..0;
        let (outage, pause) = (never.clone(), never);
        Fleet { instances, every, outage, silent: false, pause, end: intervals * every }
    }

    /// The first second in which every instance may report.
    pub(crate) fn begin(&self) -> u64 {
        // The first report comes after ten minutes, or an interval if that is shorter.
        self.every.min(600) + START
    }

    /// How many arrive in a second on average, while all is well.
    pub(crate) fn mean(&self) -> f64 {
        self.instances as f64 / self.every as f64
    }

    /// All instances from their start to the end. They know nothing of each other, so one after
    /// the other is as good as all at once, and takes no memory.
    pub(crate) fn run(&self) -> Arrivals {
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
        let seconds = vec![0; self.end as usize + 1];
        let arrivals = Arc::new(Mutex::new(Arrivals { up: seconds.clone(), down: seconds }));
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let arrivals = &arrivals;
                scope.spawn(move || {
                    let instances = (thread..self.instances).step_by(threads as usize);
                    instances.for_each(|instance| self.live(instance, arrivals));
                });
            }
        });
        let mut arrivals = arrivals.lock().unwrap();
        let (up, down) = (std::mem::take(&mut arrivals.up), std::mem::take(&mut arrivals.down));
        Arrivals { up, down }
    }

    /// The life of one instance.
    fn live(&self, instance: u64, arrivals: &Arc<Mutex<Arrivals>>) {
        let time = Arc::new(AtomicU64::new(START * 1_000_000_000 * instance / self.instances));
        let receiver = Receiver {
            time: Time(Arc::clone(&time)),
            outage: self.outage.clone(),
            silent: self.silent,
            pause: self.pause.clone(),
            arrivals: Arc::clone(arrivals),
        };
        let callhome = CallHome::builder(Schema::new("fleet").counter("requests"))
            .instance_id(format!("instance {instance}"))
            .every(Duration::from_secs(self.every))
            .clock(Time(Arc::clone(&time)))
            .sink(receiver)
            .opt_out()
            .build()
            .expect("an aggregator");
        while time.load(Ordering::Relaxed) < self.end * 1_000_000_000 {
            let wait = callhome.tick().as_nanos();
            time.fetch_add(u64::try_from(wait).expect("something is due"), Ordering::Relaxed);
        }
    }
}

/// The time of one instance, in nanoseconds. Only its own thread reads and moves it.
struct Time(Arc<AtomicU64>);

impl Clock for Time {
    fn now(&self) -> Moment {
        let monotonic = Duration::from_nanos(self.0.load(Ordering::Relaxed));
        Moment { monotonic, wall: SystemTime::UNIX_EPOCH + monotonic }
    }
}

/// The receiver as one instance sees it.
struct Receiver {
    time: Time,
    outage: Range<u64>,
    silent: bool,
    pause: Range<u64>,
    arrivals: Arc<Mutex<Arrivals>>,
}

impl Sink for Receiver {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let now = self.time.now().monotonic;
        let second = now.as_secs();
        if self.pause.contains(&second) {
            let end = Duration::from_secs(self.pause.end);
            parcel.hint(Hints::new().with_pause(end - now));
        }
        let mut arrivals = self.arrivals.lock().unwrap();
        if !self.outage.contains(&second) {
            arrivals.up[second as usize] += 1;
            return Ok(());
        }
        arrivals.down[second as usize] += 1;
        let error = SendError::retry("the receiver is down");
        Err(if self.silent { error.possibly_delivered() } else { error })
    }

    fn describe(&self) -> String {
        "the fleet's receiver".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// The figures of some seconds.
pub(crate) struct Figures {
    pub(crate) arrivals: u64,
    pub(crate) mean: f64,
    /// Of a second.
    pub(crate) peak: u64,
    /// The highest mean of a minute, sixty seconds in a row.
    pub(crate) minute: f64,
}

impl Figures {
    pub(crate) fn of(seconds: &[u64]) -> Figures {
        let arrivals = seconds.iter().sum();
        let minutes = seconds.windows(60).map(|minute| minute.iter().sum::<u64>());
        Figures {
            arrivals,
            mean: arrivals as f64 / seconds.len() as f64,
            peak: seconds.iter().copied().max().unwrap_or(0),
            minute: minutes.max().unwrap_or(0) as f64 / 60.0,
        }
    }
}

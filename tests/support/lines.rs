//! What is logged. A logger is for the rest of its process: for tests that run apart.

use std::sync::Mutex;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Lines;

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LINES.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
    }

    fn flush(&self) {}
}

/// Keeps all lines of all levels from now on.
pub(crate) fn keep() {
    log::set_logger(&Lines).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
}

/// Those since the last call: the level and what is said.
pub(crate) fn taken() -> Vec<String> {
    std::mem::take(&mut *LINES.lock().unwrap())
}

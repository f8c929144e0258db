//! What our tests need beside the kit of `callhome::testing`: programs to run, and unkind scripts for
//! its receiver.

// Each test file that includes this module uses a part of it.
#![allow(dead_code)]

pub(crate) mod apart;
pub(crate) mod folder;
pub(crate) mod lines;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use callhome::sink::{Parcel, SendError, Sink};

/// The longest that a test waits for something that must happen. Far more than it takes; its only
/// use is that a broken test ends.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// An example as it was built, with nothing in its environment that switches every program off.
///
/// `cargo test` builds the examples first, `cargo test --test NAME` does not: an example that is
/// older than its sources fails the test.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap(); // target/<profile>/deps/<test>-<hash>
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let example = profile.join("examples").join(name);
    let modified = |file: &Path| fs::metadata(file).and_then(|file| file.modified());
    let built = modified(&example).expect("no example yet: cargo build --examples");
    // Next to it is the list of its sources: `name: first second ...`.
    let sources = fs::read_to_string(example.with_extension("d")).unwrap();
    let newer = |source: &&str| modified(source.as_ref()).is_ok_and(|time| time > built);
    let newer = sources.split_whitespace().skip(1).find(newer);
    assert_eq!(newer, None, "newer than the example: cargo build --examples");
    let mut command = Command::new(example);
    command.env_remove("DO_NOT_TRACK");
    command
}

/// A sink that hangs until the sender of its channel goes.
pub(crate) struct Hanging(Mutex<mpsc::Receiver<()>>);

impl Hanging {
    pub(crate) fn new() -> (mpsc::Sender<()>, Hanging) {
        let (let_go, hanging) = mpsc::channel();
        (let_go, Hanging(hanging.into()))
    }
}

impl Sink for Hanging {
    fn send(&self, _: &Parcel<'_>) -> Result<(), SendError> {
        let _ = self.0.lock().unwrap().recv();
        Ok(())
    }

    fn describe(&self) -> String {
        "a receiver that hangs".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// Writes `piece` again and again until the peer has closed the connection. Returns how many bytes
/// were written.
pub(crate) fn endlessly(stream: &mut TcpStream, piece: &[u8]) -> u64 {
    let mut written = 0;
    while stream.write_all(piece).is_ok() {
        written += piece.len() as u64;
    }
    written
}

/// Writes the bytes of `pieces` one by one, with a pause before each, until the peer has closed the
/// connection. The pauses are short against any timeout, so that the stream never looks stalled.
pub(crate) fn trickle(stream: &mut TcpStream, pieces: impl IntoIterator<Item = u8>) {
    let (_never, pause) = mpsc::channel::<()>();
    for byte in pieces {
        let _ = pause.recv_timeout(Duration::from_millis(5));
        if stream.write_all(&[byte]).is_err() {
            return;
        }
    }
}

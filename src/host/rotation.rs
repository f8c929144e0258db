//! Replacing a kept id when its time is over.

use std::fs;
use std::io;
use std::time::SystemTime;

use fs4::{FileExt, TryLockError};

use super::id_file::{IdFile, Kept};
use crate::error::Error;
use crate::files;

impl IdFile {
    /// Whether an id was made a period ago, or longer. One from the future is kept: the clock is
    /// wrong now, or was wrong then, and no id is given up for a machine that starts in 1970.
    pub(crate) fn is_old(&self, kept: &Kept, now: SystemTime) -> bool {
        let age = kept.made.and_then(|made| now.duration_since(made).ok());
        self.period.zip(age).is_some_and(|(period, age)| age >= period)
    }

    /// Replaces the id if it is old, and returns the one that holds from now on. Of several
    /// processes one replaces it; the others find the id of that one, or keep the old one until they
    /// ask again.
    ///
    /// # Errors
    ///
    /// Those of [`find`](IdFile::find), and [`ErrorKind::Io`](crate::ErrorKind::Io) when the file
    /// cannot be replaced. The old id is there still.
    pub(crate) fn renew(&self, now: SystemTime) -> Result<Kept, Error> {
        let kept = self.find(now)?;
        if !self.is_old(&kept, now) {
            return Ok(kept);
        }
        let irreplaceable = |error: io::Error| {
            let remedy = "make its directory writable; until then reports have the old id";
            self.failed("cannot be replaced", remedy, error)
        };
        let path = self.beside("lock");
        let lock = files::open_or_create(&path).map_err(irreplaceable)?;
        // With its full path, for later versions of Rust have a method of this name.
        match FileExt::try_lock(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(kept),
            Err(TryLockError::Error(error)) => return Err(irreplaceable(error)),
        }
        // Somebody may have replaced it before the lock was ours, and removed that; this may be a
        // new one. Where the id is new, whoever holds a lock replaces nothing, so it can go.
        let kept = self.find(now)?;
        if !self.is_old(&kept, now) {
            let _ = fs::remove_file(&path);
            return Ok(kept);
        }
        let (new, temporary) = self.write(now).map_err(irreplaceable)?;
        fs::rename(&temporary.0, &self.path).map_err(irreplaceable)?;
        files::sync_directory(files::parent(&self.path));
        let _ = fs::remove_file(&path);
        Ok(new)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A failed test is what a panic is for.
mod tests {
    use std::path::Path;
    use std::sync::Barrier;
    use std::thread;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::files::Scratch;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const KEPT: &str = "0f7ab2f1-93c1-4c0e-9a55-3f1d6b1f1a2e";

    fn file(path: &Path) -> IdFile {
        IdFile::new(path.to_owned()).rotating(30 * DAY)
    }

    fn day(day: u32) -> SystemTime {
        UNIX_EPOCH + 20_000 * DAY + day * DAY
    }

    #[test]
    fn an_id_is_replaced_when_its_time_is_over() {
        let directory = Scratch::new();
        let path = directory.file("id");
        let first = file(&path).renew(day(0)).unwrap();
        let content = fs::read_to_string(&path).unwrap();
        assert_eq!(content, format!("{}\n2024-10-04T00:00:00.000000Z\n", first.id));
        for now in [day(0), day(29), day(30) - Duration::from_secs(1)] {
            assert_eq!(file(&path).renew(now).unwrap(), first);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        let second = file(&path).renew(day(30)).unwrap();
        assert_ne!(second.id, first.id);
        assert_eq!(second.made, Some(day(30)));
        assert_eq!(file(&path).renew(day(59)).unwrap(), second);
        assert_eq!(directory.names(), ["id"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        }
        // Without a period an id is for ever, whatever its date.
        let kept = IdFile::new(path).renew(day(9000)).unwrap();
        assert_eq!(kept, second);
    }

    #[test]
    fn a_copy_and_a_clock_that_went_back_replace_nothing() {
        let directory = Scratch::new();
        let path = directory.file("id");
        let first = file(&path).renew(day(10)).unwrap();
        let content = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, content).unwrap(); // written today, by the clock of the file system
        assert_eq!(file(&path).find(day(39)).unwrap(), first);
        assert_eq!(file(&path).renew(UNIX_EPOCH).unwrap(), first);
        assert_ne!(file(&path).renew(day(40)).unwrap().id, first.id);
    }

    #[test]
    fn an_id_without_a_date_is_as_old_as_the_file() {
        let directory = Scratch::new();
        let path = directory.file("id");
        fs::write(&path, KEPT).unwrap();
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(file(&path).renew(written + 29 * DAY).unwrap().id.to_string(), KEPT);
        assert_eq!(fs::read_to_string(&path).unwrap(), KEPT);
        assert_ne!(file(&path).renew(written + 30 * DAY).unwrap().id.to_string(), KEPT);
    }

    #[test]
    fn processes_at_the_same_moment_agree_on_one_new_id() {
        const THREADS: usize = 16;
        for _ in 0..50 {
            let directory = Scratch::new();
            let path = directory.file("id");
            let old = file(&path).renew(day(0)).unwrap().id;
            let start = Barrier::new(THREADS);
            let found: Vec<[Kept; 2]> = thread::scope(|scope| {
                let renew = || {
                    start.wait();
                    let at_once = file(&path).renew(day(30)).unwrap();
                    start.wait();
                    [at_once, file(&path).renew(day(30)).unwrap()]
                };
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(renew)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let new = found[0][1].id;
            assert_ne!(new, old);
            assert!(found.iter().all(|[first, _]| [old, new].contains(&first.id)), "{found:?}");
            assert!(found.iter().all(|[_, then]| then.id == new), "{found:?}");
            assert_eq!(directory.names(), ["id"]);
        }
    }

    #[test]
    fn whoever_cannot_replace_it_keeps_it() {
        let directory = Scratch::new();
        let path = directory.file("id");
        let old = file(&path).renew(day(0)).unwrap();
        let content = fs::read(&path).unwrap();
        // Another process is at it.
        let lock = files::open_or_create(&directory.file(".id.lock")).unwrap();
        FileExt::lock(&lock).unwrap();
        assert_eq!(file(&path).renew(day(30)).unwrap(), old);
        drop(lock);
        fs::remove_file(directory.file(".id.lock")).unwrap();
        // The lock cannot be made.
        fs::create_dir(directory.file(".id.lock")).unwrap();
        let error = file(&path).renew(day(30)).unwrap_err();
        assert!(error.to_string().contains("cannot be replaced"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content);
        // The content is somebody else's.
        fs::write(&path, "prod").unwrap();
        assert!(file(&path).renew(day(30)).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "prod");
    }
}

//! An id that is kept in a file, so that it outlives the process.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::identity::new_id;
use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::files::{self, Temporary};

/// The longest id file that is read, in bytes. A UUID takes 36 to 45, depending on its spelling,
/// and a date 27; the rest is room for white space.
const LONGEST_FILE: u64 = 256;

/// A file for one id, a UUID. Where ids are to be replaced one day a second line says when this one
/// was made: in the content, for that is what a copy or a backup of the file keeps.
///
/// It is read, and at the first start written, by [`find`](IdFile::find); it must not be touched
/// when the switch says no.
#[derive(Clone, PartialEq)]
pub(crate) struct IdFile {
    pub(super) path: PathBuf,
    /// How old an id may become; `None` is for ever.
    pub(super) period: Option<Duration>,
    /// What errors call it.
    name: &'static str,
}

/// The id in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: Uuid,
    /// When it was made: what the content says, else when the file was written last.
    pub(super) made: Option<SystemTime>,
}

impl IdFile {
    /// A file that is not looked at yet.
    pub(crate) fn new(path: PathBuf) -> IdFile {
        IdFile { path, period: None, name: "cluster id file" }
    }

    /// One whose id is a secret.
    pub(crate) fn of_key(path: PathBuf) -> IdFile {
        IdFile { name: "distinct key file", ..IdFile::new(path) }
    }

    /// The same with ids that are replaced when they are this old.
    pub(crate) fn rotating(self, period: Duration) -> IdFile {
        IdFile { period: Some(period), ..self }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How old an id may become; `None` is for ever.
    pub(crate) fn period(&self) -> Option<Duration> {
        self.period
    }

    /// The id that is kept, or a new one if nothing is there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the path leads to something else than a file with one UUID;
    /// [`ErrorKind::Io`] when the file cannot be read or created. What exists at the path is not
    /// replaced: a new id would make one installation look like two.
    pub(crate) fn find(&self, now: SystemTime) -> Result<Kept, Error> {
        match self.read()? {
            Some(kept) => Ok(kept),
            None => self.create(now),
        }
    }

    /// Removes the file, if there is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when it cannot be removed.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        let _ = fs::remove_file(self.beside("lock")); // mostly there is none
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("cannot be removed", "remove it", error))
            }
            _ => Ok(()),
        }
    }

    /// A hidden file next to it.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = std::ffi::OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{suffix}"));
        files::parent(&self.path).join(name)
    }

    /// Writes a new id in full to a file of another name.
    pub(super) fn write(&self, now: SystemTime) -> io::Result<(Kept, Temporary)> {
        let kept = Kept { id: new_id(), made: Some(now) };
        let temporary = Temporary(self.beside(&format!("{}.tmp", new_id())));
        let date = self.period.and_then(|_| clock::utc(now));
        let date = date.map(|date| format!("{date}\n")).unwrap_or_default();
        files::write_new(&temporary.0, format!("{}\n{date}", kept.id).as_bytes())?;
        Ok((kept, temporary))
    }

    /// Makes a new id and keeps it, unless another process or thread does so first: then theirs is
    /// the result.
    ///
    /// The id is written in full to a file of another name, which then gets its real name by a hard
    /// link. That fails if the name is taken, where a rename would replace what is there; and
    /// whoever opens the name finds a whole id, where a file created under its real name would be
    /// empty first.
    pub(super) fn create(&self, now: SystemTime) -> Result<Kept, Error> {
        let path = &self.path;
        if path.file_name().is_none() {
            return Err(self.unusable("has no file name: name a file"));
        }
        let parent = files::parent(path);
        if !parent.is_dir() {
            return Err(Error::new(
                ErrorKind::Io,
                format!(
                    "the {} {path:?} cannot be created: {parent:?} is not a directory that this \
                     process can see; create it first",
                    self.name
                ),
            ));
        }
        let uncreatable = |error: io::Error| {
            let remedy = "make its directory writable on a file system with hard links, or put a \
                          UUID into the file yourself";
            self.failed("cannot be created", remedy, error)
        };
        let (kept, temporary) = self.write(now).map_err(uncreatable)?;
        match fs::hard_link(&temporary.0, path) {
            Ok(()) => {
                files::sync_directory(parent);
                Ok(kept)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Taken, and yet nothing there: a symbolic link that leads nowhere.
                self.read()?.ok_or_else(|| {
                    self.unusable("is a link that leads nowhere: remove it, or create its target")
                })
            }
            Err(error) => Err(uncreatable(error)),
        }
    }

    /// The id that is kept; `None` only when nothing is there.
    fn read(&self) -> Result<Option<Kept>, Error> {
        let path = &self.path;
        let unreadable = |error: io::Error| {
            let remedy = "make it readable for this process, or name another file";
            self.failed("cannot be read", remedy, error)
        };
        // Asked before opening: to open a named pipe would wait for a writer.
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        if !metadata.is_file() {
            return Err(self.unusable("is not a regular file: name a file"));
        }
        let mut content = Vec::new();
        // One byte more than allowed, so that a longer file is seen to be longer.
        // A file that is gone since the look above is an error too: this is not a first start.
        File::open(path)
            .and_then(|file| file.take(LONGEST_FILE + 1).read_to_end(&mut content))
            .map_err(unreadable)?;
        let text = std::str::from_utf8(&content).unwrap_or_default();
        let mut words = text.split_whitespace();
        let id = words.next().and_then(|id| Uuid::try_parse(id).ok());
        let (date, rest) = (words.next(), words.next());
        let written = date.and_then(clock::parse_utc);
        // The content is not shown: the path may have been meant for something else.
        match id {
            Some(id)
                if content.len() as u64 <= LONGEST_FILE
                    && rest.is_none()
                    && date.is_some() == written.is_some() =>
            {
                Ok(Some(Kept { id, made: written.or(metadata.modified().ok()) }))
            }
            _ => Err(self.unusable(
                "does not hold one UUID: restore its content, or remove it to start with a new id",
            )),
        }
    }

    /// An operation on the file failed.
    pub(super) fn failed(&self, what: &str, remedy: &str, error: io::Error) -> Error {
        let IdFile { path, name, .. } = self;
        let message = format!("the {name} {path:?} {what}: {error}; {remedy}");
        Error::new(ErrorKind::Io, message).with_source(error)
    }

    /// What is at the path cannot be used.
    fn unusable(&self, what: &str) -> Error {
        let IdFile { path, name, .. } = self;
        Error::new(ErrorKind::Config, format!("the {name} {path:?} {what}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A failed test is what a panic is for.
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::files::Scratch;

    const KEPT: &str = "0f7ab2f1-93c1-4c0e-9a55-3f1d6b1f1a2e";

    fn from_file(path: &Path) -> Result<String, Error> {
        let file = IdFile::new(path.to_owned());
        file.find(SystemTime::UNIX_EPOCH).map(|kept| kept.id.to_string())
    }

    #[track_caller]
    fn refused(path: &Path, kind: ErrorKind, remedy: &str) {
        let error = from_file(path).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{path:?}")) && text.contains(remedy), "{text}");
    }

    #[test]
    fn the_first_start_creates_a_private_file_that_later_starts_read() {
        let directory = Scratch::new();
        let path = directory.file("cluster-id");
        let id = from_file(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{id}\n"));
        assert_eq!(from_file(&path).unwrap(), id);
        assert_eq!(directory.names(), ["cluster-id"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        }
    }

    #[test]
    fn first_starts_at_the_same_moment_agree_on_one_id() {
        const THREADS: usize = 16;
        for _ in 0..50 {
            let directory = Scratch::new();
            let path = directory.file("cluster-id");
            let start = Barrier::new(THREADS);
            let ids: Vec<String> = thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS)
                    .map(|_| {
                        scope.spawn(|| {
                            start.wait();
                            from_file(&path).unwrap()
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
            assert_eq!(fs::read_to_string(&path).unwrap().trim(), ids[0]);
            assert_eq!(directory.names(), ["cluster-id"]);
        }
    }

    #[test]
    fn an_existing_id_survives_in_any_spelling() {
        let directory = Scratch::new();
        let path = directory.file("cluster-id");
        let spellings =
            [KEPT.to_owned(), format!(" \r\n{}\n", KEPT.to_uppercase()), KEPT.replace('-', "")];
        for content in spellings {
            fs::write(&path, &content).unwrap();
            assert_eq!(from_file(&path).unwrap(), KEPT);
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn foreign_content_is_refused_and_left_alone() {
        let directory = Scratch::new();
        let path = directory.file("cluster-id");
        let long = format!("{KEPT}{}", " ".repeat(1000));
        let foreign: [&[u8]; 8] = [
            b"",
            b" \n",
            b"prod",
            &KEPT.as_bytes()[..30],
            b"0f7ab2f1-93c1-4c0e-9a55-3f1d6b1f1a2e\n1f7ab2f1-93c1-4c0e-9a55-3f1d6b1f1a2e\n",
            b"0f7ab2f1-93c1-4c0e-9a55-3f1d6b1f1a2e 2024-10-04T00:00:00Z prod",
            b"\xff\xfe\x00",
            long.as_bytes(),
        ];
        for content in foreign {
            fs::write(&path, content).unwrap();
            refused(&path, ErrorKind::Config, "remove it");
            assert_eq!(fs::read(&path).unwrap(), content);
            assert_eq!(directory.names(), ["cluster-id"]);
        }
    }

    #[test]
    fn a_directory_or_no_file_name_is_refused() {
        let directory = Scratch::new();
        refused(&directory.0, ErrorKind::Config, "name a file");
        refused(Path::new(""), ErrorKind::Config, "name a file");
        assert!(directory.names().is_empty());
    }

    #[test]
    fn a_missing_directory_is_named_and_not_created() {
        let directory = Scratch::new();
        let missing = directory.file("missing");
        let path = missing.join("cluster-id");
        refused(&path, ErrorKind::Io, &format!("{missing:?} is not a directory"));
        assert!(!missing.exists());
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_cannot_be_read_is_refused_and_left_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = Scratch::new();
        let path = directory.file("cluster-id");
        fs::write(&path, KEPT).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        // The superuser reads it all the same, and must then get the id that is kept.
        if File::open(&path).is_ok() {
            assert_eq!(from_file(&path).unwrap(), KEPT);
        } else {
            refused(&path, ErrorKind::Io, "make it readable");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), KEPT);
        assert_eq!(directory.names(), ["cluster-id"]);
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_but_not_replaced() {
        use std::os::unix::fs::symlink;
        let directory = Scratch::new();
        let path = directory.file("link");
        symlink(directory.file("target"), &path).unwrap();
        refused(&path, ErrorKind::Config, "leads nowhere");
        assert_eq!(directory.names(), ["link"]);
        fs::write(directory.file("target"), KEPT).unwrap();
        assert_eq!(from_file(&path).unwrap(), KEPT);
    }
}

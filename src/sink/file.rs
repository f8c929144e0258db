//! Reports appended to a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Parcel, SendError, Sink};

/// Appends each report to a file as one line (JSON lines), for an operator who wants to see what is
/// collected or who carries it out of a closed network by hand.
///
/// - The file is opened for each report, so that it can be rotated or deleted at any time. If it is
///   absent it is created, on Unix readable and writable by its owner alone (mode 0600); its folder
///   must exist. The mode of an existing file is left as it is.
/// - A report counts as delivered when the line is written and synchronised to the disk.
/// - Several processes may append to one file: a line is written in one piece.
/// - The file is never shortened. It grows by one line per report; rotating it is up to the owner.
/// - Anything but a regular file (a pipe, a device) is refused, since writing to it could block.
///   The timeout of a parcel cannot interrupt the operating system's file calls.
#[derive(Clone, Debug)]
pub struct FileSink {
    path: PathBuf,
}

impl FileSink {
    /// A sink that appends to `path`. Nothing is opened or created before the first report.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        FileSink { path: path.into() }
    }

    /// An error that names the file and what the operating system said.
    fn failed(&self, what: &str, error: &io::Error) -> SendError {
        SendError::retry(format!("cannot {what} {}: {error}", self.path.display()))
    }
}

impl Sink for FileSink {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        // Asked before opening: to open a pipe without a reader would block.
        if fs::metadata(&self.path).is_ok_and(|found| !found.is_file()) {
            return Err(SendError::refused(format!(
                "{} is not a regular file; name a file that can be appended to",
                self.path.display()
            )));
        }
        let mut file = open(&self.path).map_err(|e| self.failed("open", &e))?;
        let mut line = Vec::with_capacity(parcel.body().len() + 2);
        if ends_inside_a_line(&mut file).map_err(|e| self.failed("read", &e))? {
            line.push(b'\n');
        }
        line.extend_from_slice(parcel.body());
        line.push(b'\n');
        file.write_all(&line).map_err(|e| self.failed("write to", &e))?;
        // The line is in the file by now; what is unsure is only whether it survives a power cut.
        file.sync_data().map_err(|e| self.failed("synchronise", &e).possibly_delivered())
    }

    fn describe(&self) -> String {
        format!("file {}", self.path.display())
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// Opens the file for appending, and for reading its last byte.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Whether the file ends with the beginning of a line, as a write on a full disk leaves it. The
/// next report must not continue that line: both would be unreadable.
fn ends_inside_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A folder of its own for one test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("callhome-{}", uuid::Uuid::new_v4()));
            fs::create_dir(&path).expect("a folder for the test");
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn send(sink: &FileSink, body: &[u8]) -> Result<(), SendError> {
        sink.send(&Parcel::new("6ba7b810", 1, body, Duration::from_secs(1)))
    }

    #[test]
    fn appends_one_line_per_report() {
        let folder = Folder::new();
        let path = folder.0.join("reports.jsonl");
        let sink = FileSink::new(&path);
        assert!(!path.exists(), "nothing is created before the first report");
        send(&sink, b"{\"n\":1}").expect("first");
        send(&sink, b"{\"n\":2}").expect("second");
        assert_eq!(fs::read(&path).expect("file"), b"{\"n\":1}\n{\"n\":2}\n");
    }

    #[test]
    fn a_line_torn_by_a_full_disk_does_not_spoil_the_next_one() {
        let folder = Folder::new();
        let path = folder.0.join("reports.jsonl");
        fs::write(&path, b"{\"n\":1}\n{\"n\":").expect("torn file");
        send(&FileSink::new(&path), b"{\"n\":2}").expect("sent");
        assert_eq!(fs::read(&path).expect("file"), b"{\"n\":1}\n{\"n\":\n{\"n\":2}\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_belongs_to_its_owner_alone_and_an_existing_one_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let path = folder.0.join("reports.jsonl");
        let mode = || fs::metadata(&path).expect("file").permissions().mode() & 0o777;
        send(&FileSink::new(&path), b"{}").expect("sent");
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
        send(&FileSink::new(&path), b"{}").expect("sent");
        assert_eq!(mode(), 0o640);
    }

    #[test]
    fn a_missing_folder_can_appear_later_and_the_error_names_the_file() {
        let folder = Folder::new();
        let path = folder.0.join("absent").join("reports.jsonl");
        let sink = FileSink::new(&path);
        let error = send(&sink, b"{}").expect_err("no folder");
        assert!(error.is_retryable() && !error.maybe_delivered());
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        fs::create_dir(folder.0.join("absent")).expect("folder");
        send(&sink, b"{}").expect("sent");
    }

    #[test]
    fn what_is_not_a_file_is_refused() {
        let folder = Folder::new();
        let error = send(&FileSink::new(&folder.0), b"{}").expect_err("a folder");
        assert!(!error.is_retryable());
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }

    #[test]
    fn several_writers_do_not_mix_their_lines() {
        let folder = Folder::new();
        let path = folder.0.join("reports.jsonl");
        let body = vec![b'x'; 100_000];
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        send(&FileSink::new(&path), &body).expect("sent");
                    }
                });
            }
        });
        let written = fs::read(&path).expect("file");
        let lines: Vec<&[u8]> = written.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.iter().filter(|line| **line == body).count(), 20);
    }
}

//! Reports appended to a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Fault, Parcel, SendError, Sink};

/// Appends each report to a file as one line (JSON lines), for an operator who wants to see what is
/// collected or who carries it out of a closed network by hand.
///
/// - The file is opened for each report, so that it can be rotated or deleted at any time. If it is
///   absent it is created, on Unix readable and writable by its owner alone (mode 0600); its folder
///   must exist. The mode of an existing file is left as it is.
/// - A report counts as delivered when the line is written and synchronised to the disk.
/// - Several processes may append to one file: a line is written in one piece.
/// - The file is never shortened. It grows by one line per report; rotating it is up to the owner.
/// - What a full disk leaves of a line stays, and the next report begins a line of its own.
/// - Anything but a regular file (a pipe, a device) is refused, since writing to it could block. Any
///   other failure is retryable, and the report is not in the file, unless the error says
///   [maybe](SendError::maybe_delivered). All of them are of the sort [`Fault::File`].
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
            .with_fault(Fault::File)
    }

    /// Writes a report's line.
    fn write(&self, mut file: &File, line: &[u8]) -> Result<(), SendError> {
        let mut rest = line;
        while !rest.is_empty() {
            let error = match file.write(rest) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(written) => {
                    rest = &rest[written..];
                    continue;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => e,
            };
            let error = self.failed("write to", &error);
            // Without the line break alone, the report can be read.
            return Err(if rest == b"\n" { error.possibly_delivered() } else { error });
        }
        Ok(())
    }
}

impl Sink for FileSink {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        // Asked before opening: to open a pipe without a reader would block.
        let found = fs::metadata(&self.path);
        if found.as_ref().is_ok_and(|found| !found.is_file()) {
            let path = self.path.display();
            let message = format!("{path} is not a regular file; name one that can be appended to");
            return Err(SendError::refused(message).with_fault(Fault::File));
        }
        let mut file = open(&self.path).map_err(|e| self.failed("open", &e))?;
        let mut line = Vec::with_capacity(parcel.body().len() + 2);
        if ends_inside_a_line(&mut file).map_err(|e| self.failed("read", &e))? {
            line.push(b'\n');
        }
        line.extend_from_slice(parcel.body());
        line.push(b'\n');
        self.write(&file, &line)?;
        let synchronised = file.sync_data().and_then(|()| match found {
            Ok(_) => Ok(()),
            Err(_) => synchronise_folder(&self.path),
        });
        // The line is in the file by now; what is unsure is only whether it survives a power cut.
        synchronised.map_err(|e| self.failed("synchronise", &e).possibly_delivered())
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

/// Makes a new file's name last: that is the folder's content, not the file's.
fn synchronise_folder(path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened like a file.
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
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
    use crate::files::Scratch;

    fn send(sink: &FileSink, body: &[u8]) -> Result<(), SendError> {
        sink.send(&Parcel::new("6ba7b810", 1, body, Duration::from_secs(1)))
    }

    #[test]
    fn appends_one_line_per_report() {
        let folder = Scratch::new();
        let path = folder.0.join("reports.jsonl");
        let sink = FileSink::new(&path);
        assert!(!path.exists(), "nothing is created before the first report");
        send(&sink, b"{\"n\":1}").expect("first");
        send(&sink, b"{\"n\":2}").expect("second");
        assert_eq!(fs::read(&path).expect("file"), b"{\"n\":1}\n{\"n\":2}\n");
    }

    #[test]
    fn a_line_torn_by_a_full_disk_does_not_spoil_the_next_one() {
        let folder = Scratch::new();
        let path = folder.0.join("reports.jsonl");
        fs::write(&path, b"{\"n\":1}\n{\"n\":").expect("torn file");
        send(&FileSink::new(&path), b"{\"n\":2}").expect("sent");
        assert_eq!(fs::read(&path).expect("file"), b"{\"n\":1}\n{\"n\":\n{\"n\":2}\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_belongs_to_its_owner_alone_and_an_existing_one_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Scratch::new();
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
        let folder = Scratch::new();
        let path = folder.0.join("absent").join("reports.jsonl");
        let sink = FileSink::new(&path);
        let error = send(&sink, b"{}").expect_err("no folder");
        assert!(error.is_retryable() && !error.maybe_delivered());
        assert_eq!(error.fault(), Fault::File);
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        fs::create_dir(folder.0.join("absent")).expect("folder");
        send(&sink, b"{}").expect("sent");
    }

    #[test]
    fn what_is_not_a_file_is_refused() {
        let folder = Scratch::new();
        let error = send(&FileSink::new(&folder.0), b"{}").expect_err("a folder");
        assert!(!error.is_retryable() && error.fault() == Fault::File);
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }

    /// A limit on the size of files stands for a full disk: a write is cut short, the next fails.
    #[cfg(unix)]
    #[test]
    fn a_full_disk_is_retryable_and_tears_no_other_report() {
        const NAME: &str = "sink::file::tests::a_full_disk_is_retryable_and_tears_no_other_report";
        let Some(path) = std::env::var_os("FULL_DISK").map(PathBuf::from) else {
            let folder = Scratch::new();
            let limited = "trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact \"$1\" --nocapture";
            let mut command = std::process::Command::new("sh");
            command.args(["-c", limited]).arg(std::env::current_exe().expect("this test"));
            let path = folder.0.join("reports.jsonl");
            let output = command.arg(NAME).env("FULL_DISK", path).output().expect("a shell");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("1 passed"), "{text}{}", {
                String::from_utf8_lossy(&output.stderr)
            });
            return;
        };
        let sink = FileSink::new(&path);
        send(&sink, b"{\"n\":1}").expect("there is room");
        let large = vec![b'x'; 4000];
        for _ in 0..2 {
            let error = send(&sink, &large).expect_err("no room");
            assert!(error.is_retryable() && !error.maybe_delivered(), "{error:?}");
            assert_eq!(error.fault(), Fault::File);
        }
        let written = fs::read(&path).expect("file");
        assert!(written.starts_with(b"{\"n\":1}\nxxx") && written.len() < large.len());

        // Somebody makes room for a report and its line break, then for all but that.
        let limit = written.len();
        fs::write(&path, vec![b'\n'; limit - 3]).expect("room");
        send(&sink, b"{}").expect("there is room");
        fs::write(&path, vec![b'\n'; limit - 2]).expect("room");
        let error = send(&sink, b"{}").expect_err("no room");
        assert!(error.is_retryable() && error.maybe_delivered(), "{error:?}");
        assert!(fs::read(&path).expect("file").ends_with(b"\n{}"));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_retryable() {
        let folder = Scratch::new();
        let file = folder.0.join("file");
        fs::write(&file, "").expect("a file");
        let error = send(&FileSink::new(file.join("reports.jsonl")), b"{}").expect_err("no folder");
        assert!(error.is_retryable() && !error.maybe_delivered(), "{error:?}");
        assert_eq!(error.fault(), Fault::File);
    }

    #[test]
    fn several_writers_do_not_mix_their_lines() {
        let folder = Scratch::new();
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

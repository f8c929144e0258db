//! What `strace` saw.

/// What a program asked of the operating system between the marks, outside `preview` and in it.
pub(crate) struct Trace {
    pub(crate) calls: Vec<String>,
    preview: Vec<String>,
}

impl Trace {
    /// Reads what `strace` wrote. The marks are the beginning, either side of the preview, and the
    /// end.
    pub(crate) fn read(text: &str, marks: [&str; 3]) -> Trace {
        let mut trace = Trace { calls: Vec::new(), preview: Vec::new() };
        let (mut begun, mut preview) = (false, false);
        for line in text.lines() {
            // After the number of the thread; a thread's end and the rest of a call that was cut in
            // two are no calls, and a look at a file that is open already touches no other.
            let call = line.split_once(' ').map_or("", |(_, call)| call.trim());
            if ["<...", "---", "+++", "exit("].iter().any(|other| call.starts_with(other))
                || call.contains("AT_EMPTY_PATH")
            {
                continue;
            }
            match call {
                _ if call.contains(marks[0]) => begun = true,
                _ if call.contains(marks[1]) => preview = !preview,
                _ if call.contains(marks[2]) => return trace,
                _ if preview => trace.preview.push(call.to_owned()),
                _ if begun => trace.calls.push(call.to_owned()),
                _ => {}
            }
        }
        panic!("the marks are not in the trace: {text}");
    }

    /// Whether one of the calls has these words.
    pub(crate) fn has(&self, words: &str) -> bool {
        self.calls.iter().any(|call| call.contains(words))
    }

    /// The names that threads gave themselves.
    pub(crate) fn threads(&self) -> Vec<&str> {
        let names = self.calls.iter().filter_map(|call| call.strip_prefix("prctl(PR_SET_NAME, \""));
        let mut names: Vec<_> = names.filter_map(|name| name.split('"').next()).collect();
        names.sort_unstable();
        names
    }

    /// How many threads and processes were made.
    pub(crate) fn clones(&self) -> usize {
        let makes = |call: &&String| {
            ["clone", "fork", "vfork", "exec"].iter().any(|word| call.starts_with(word))
        };
        self.calls.iter().filter(makes).count()
    }

    /// Calls that touch anything but the files that are `reads`, and whatever writes.
    pub(crate) fn touching(&self, reads: &[&str]) -> Vec<&String> {
        let is_read = |call: &str| reads.iter().any(|name| call.contains(&format!("{name}\"")));
        let of_a_thread =
            |call: &str| ["prctl(", "clone"].iter().any(|word| call.starts_with(word));
        let calls = self.calls.iter();
        calls.filter(|call| !(of_a_thread(call) || is_reading(call) && is_read(call))).collect()
    }

    /// The same of `preview`, which shows the machine's facts, where the system tells them.
    pub(crate) fn touching_in_preview(&self) -> Vec<&String> {
        let is_fact = |call: &str| call.contains("\"/proc/") || call.contains("\"/sys/");
        let calls = self.preview.iter();
        calls.filter(|call| !(is_reading(call) && is_fact(call))).collect()
    }
}

/// Whether a call only looks at a file.
fn is_reading(call: &str) -> bool {
    let reading = ["openat(", "statx(", "newfstatat(", "readlink(", "readlinkat("];
    let writing = ["O_WRONLY", "O_RDWR", "O_CREAT"];
    reading.iter().any(|word| call.starts_with(word))
        && !writing.iter().any(|word| call.contains(word))
}

/// Whether a call is one of those by which programs reach others.
pub(crate) fn is_network(call: &str) -> bool {
    const NETWORK: [&str; 12] = [
        "socket",
        "connect",
        "bind",
        "listen",
        "accept",
        "send",
        "recv",
        "getsockname",
        "getpeername",
        "setsockopt",
        "getsockopt",
        "shutdown",
    ];
    NETWORK.iter().any(|word| call.starts_with(word))
}

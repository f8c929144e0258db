//! Memory of the machine and of this process.

/// Total physical memory of the machine in bytes; `None` when it cannot be read.
#[cfg(feature = "host")]
pub(super) fn total() -> Option<u64> {
    use sysinfo::{MemoryRefreshKind, RefreshKind, System};

    let ram = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    // `sysinfo` reports 0 for what it could not read.
    Some(System::new_with_specifics(ram).total_memory()).filter(|bytes| *bytes > 0)
}

/// Unknown: the standard library does not tell.
#[cfg(not(feature = "host"))]
pub(super) fn total() -> Option<u64> {
    None
}

/// The resident set size of this process in bytes: the physical memory it occupies now.
///
/// `None` when it cannot be read, and always without the feature `host`. Made to be sampled every
/// few seconds: it keeps no state, takes no lock, and on Linux reads one file, `/proc/self/status`,
/// so it is right in a forked child too.
pub fn process_memory() -> Option<f64> {
    resident().map(|bytes| bytes as f64)
}

/// Resident set size in bytes, from the kernel's summary of this process.
///
/// Not through `sysinfo`: for one process it lists the whole of `/proc`, and it raises the
/// process's soft limit of open files to the hard limit, which is not a sampler's to change.
/// `status` rather than `statm`: it counts in kibibytes, so that the page size need not be known.
#[cfg(all(feature = "host", target_os = "linux"))]
fn resident() -> Option<u64> {
    resident_in(&std::fs::read("/proc/self/status").ok()?)
}

/// Resident set size in bytes, through the system's own interface.
#[cfg(all(feature = "host", not(target_os = "linux")))]
fn resident() -> Option<u64> {
    resident_through_sysinfo()
}

/// Unknown: the standard library does not tell.
#[cfg(not(feature = "host"))]
fn resident() -> Option<u64> {
    None
}

/// The `VmRSS` line of a `status` file in bytes. The kernel writes `kB` and means kibibytes:
/// proc_pid_status(5).
#[cfg(all(feature = "host", target_os = "linux"))]
fn resident_in(status: &[u8]) -> Option<u64> {
    // The first line is the program's name, cut after 15 bytes: perhaps within a character.
    let status = String::from_utf8_lossy(status);
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Resident set size in bytes, from `sysinfo`, asked for nothing but the memory of this process.
/// Compiled on Linux for the tests alone, as the second opinion on [`resident`].
#[cfg(all(feature = "host", any(not(target_os = "linux"), test)))]
fn resident_through_sysinfo() -> Option<u64> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

    // A fresh `System` for each call: it is empty until refreshed, and keeping one would need a
    // lock that a fork or a panic could leave held.
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = System::new();
    // `nothing` still includes the tasks, and with them a scan of every process.
    let memory = ProcessRefreshKind::nothing().without_tasks().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, memory);
    system.process(pid).map(|process| process.memory()).filter(|bytes| *bytes > 0)
}

#[cfg(all(test, feature = "host"))]
#[allow(clippy::unwrap_used)] // A failed test is what a panic is for.
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn the_machine_has_more_memory_than_this_process() {
        let (total, resident) = (total().unwrap(), resident().unwrap());
        assert!(total > resident, "total {total}, resident {resident}");
    }

    #[test]
    fn memory_that_is_touched_becomes_resident() {
        // Far more than the tests that run beside this one can give back meanwhile.
        let size = 128 * MIB;
        let before = process_memory().unwrap();
        let block = std::hint::black_box(vec![1_u8; size]);
        let after = process_memory().unwrap();
        drop(block);
        assert!(after - before > (size / 2) as f64, "{before} before, {after} after");
    }

    #[test]
    fn sysinfo_agrees_on_the_unit() {
        // Other tests allocate and free meanwhile, which is worth a factor of tens; a wrong unit
        // would be off by a factor of 1000 at least.
        let (ours, theirs) = (resident().unwrap(), resident_through_sysinfo().unwrap());
        assert!(ours / 500 < theirs && theirs / 500 < ours, "{ours} here, {theirs} from sysinfo");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_line_of_the_resident_set_is_read_in_bytes() {
        let status = b"Name:\tVmRSS: \xc3\nVmHWM:\t    9000 kB\nVmRSS:\t    1234 kB\nThreads:\t1\n";
        assert_eq!(resident_in(status), Some(1234 * 1024));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_status_without_a_usable_line_is_unknown() {
        // A kernel thread has no VmRSS line.
        let unusable: [&[u8]; 7] = [
            b"",
            b"Name:\tx\n",
            b"VmRSS:\n",
            b"VmRSS:\t12\n",
            b"VmRSS:\t12 MB\n",
            b"VmRSS:\t-1 kB\n",
            b"VmRSS:\t18446744073709551615 kB\n",
        ];
        for status in unusable {
            assert_eq!(resident_in(status), None, "{}", status.escape_ascii());
        }
    }
}

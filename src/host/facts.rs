//! What kind of machine the process runs on.

use std::env::consts;
use std::thread;

use super::memory;

/// What kind of machine the process runs on, in terms that do not tell one machine from another.
///
/// [`HostFacts::detect`] reads this machine. [`HostFacts::new`] and the public fields make one out
/// of constants, for a test or for a sample in documentation:
///
/// ```
/// use callhome::host::HostFacts;
///
/// let mut facts = HostFacts::new("x86_64-unknown-linux-gnu", "unix", "linux");
/// facts.cores = Some(8);
/// facts.ram = Some(16 * 1024 * 1024 * 1024);
/// assert_eq!(facts.os_name, "linux");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HostFacts {
    /// The target the program was compiled for, written like a target triple:
    /// `x86_64-unknown-linux-gnu`, `aarch64-apple-darwin`, `x86_64-pc-windows-msvc`.
    ///
    /// The first part is [`std::env::consts::ARCH`], so a 32-bit x86 program says `x86`, not
    /// `i686`.
    pub arch: String,
    /// How many threads can usefully run at once, at least 1; `None` when unknown.
    ///
    /// This is [`std::thread::available_parallelism`]: on Linux a CPU affinity mask or a container's
    /// CPU quota lowers it.
    pub cores: Option<u64>,
    /// The family of the operating system, [`std::env::consts::FAMILY`]: `unix` or `windows`.
    pub os_family: String,
    /// The operating system, [`std::env::consts::OS`]: `linux`, `macos`, `windows`, `freebsd`.
    pub os_name: String,
    /// The machine's total physical memory in bytes, whatever limit a container sets; `None` when
    /// unknown, and always without the feature `host`.
    pub ram: Option<u64>,
    /// The CI system, where it is given; `None`, as it always is when it is detected, leaves it to
    /// the environment (see [`Schema::ci`](crate::Schema::ci)).
    pub ci: Option<String>,
}

impl HostFacts {
    /// Facts from constants; `cores`, `ram` and `ci` are `None` until they are set.
    pub fn new(
        arch: impl Into<String>,
        os_family: impl Into<String>,
        os_name: impl Into<String>,
    ) -> Self {
        HostFacts {
            arch: arch.into(),
            cores: None,
            os_family: os_family.into(),
            os_name: os_name.into(),
            ram: None,
            ci: None,
        }
    }

    /// The facts of this machine. What cannot be found out is `None`; nothing fails.
    pub fn detect() -> Self {
        HostFacts {
            cores: thread::available_parallelism().ok().and_then(|n| u64::try_from(n.get()).ok()),
            ram: memory::total(),
            ..HostFacts::new(target(), consts::FAMILY, consts::OS)
        }
    }
}

/// The compilation target, composed like a target triple. Cargo gives the real triple to build
/// scripts only, and this crate has none.
fn target() -> String {
    let vendor = if cfg!(target_vendor = "apple") {
        "apple"
    } else if cfg!(target_vendor = "pc") {
        "pc"
    } else {
        "unknown"
    };
    // The one operating system whose triple uses another name than `target_os`.
    let os = if cfg!(target_os = "macos") { "darwin" } else { consts::OS };
    let env = if cfg!(target_env = "gnu") {
        "-gnu"
    } else if cfg!(target_env = "musl") {
        "-musl"
    } else if cfg!(target_env = "msvc") {
        "-msvc"
    } else {
        ""
    };
    format!("{}-{vendor}-{os}{env}", consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
    fn the_target_is_written_like_its_triple() {
        assert_eq!(target(), "x86_64-unknown-linux-gnu");
    }

    #[test]
    #[cfg(target_os = "macos")]
    fn macos_is_called_darwin_in_a_triple() {
        assert_eq!(target(), format!("{}-apple-darwin", consts::ARCH));
    }

    #[test]
    fn new_leaves_the_unknown_unknown() {
        let facts = HostFacts::new("a", "f", "o");
        assert_eq!((facts.arch.as_str(), facts.os_family.as_str()), ("a", "f"));
        assert_eq!((facts.os_name.as_str(), facts.cores, facts.ram), ("o", None, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn detect_reads_this_machine() {
        let facts = HostFacts::detect();
        assert_eq!((facts.os_family.as_str(), facts.os_name.as_str()), ("unix", "linux"));
        assert!(facts.cores.is_some_and(|cores| cores >= 1));
        assert_eq!(facts.arch, target());
        assert_eq!(facts.ram.is_some(), cfg!(feature = "host"));
    }
}

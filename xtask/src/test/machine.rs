//! What the machine has room for, and who goes first on it.

use std::fs;

/// What the lanes take together at most: two compilers, three stacks, a browser.
const LANES_MEBIBYTES: u64 = 8 * 1024;

/// Whether parts can run side by side: as far as the system tells, there is enough memory.
pub(super) fn has_room_for_lanes() -> bool {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    available_mebibytes(&text).is_some_and(|available| available >= LANES_MEBIBYTES)
}

fn available_mebibytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
}

/// Lowers the priority of this thread, and of all that it starts, by so many steps. Where the system has priorities for
/// whole programs only, everything gets slower alike, which is harmless.
pub(super) fn lower_priority(steps: i32) {
    // A system that refuses leaves the priority as it is.
    let _ = rustix::process::nice(steps);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read() {
        assert_eq!(available_mebibytes("MemTotal: 1 kB\nMemAvailable:   16777216 kB\n"), Some(16_384));
        assert_eq!(available_mebibytes("MemTotal: 1 kB\n"), None);
    }
}

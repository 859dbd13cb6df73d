//! How much memory this process takes, as the operating system counts it. `None` where it does not say.

use std::path::Path;

/// Memory of the machine, or as much of it as this process may use where a container limits it.
pub fn usable_bytes() -> Option<u64> {
    let all = kilobytes(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal")?;
    // "max" where there is no limit.
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|limit| limit.trim().parse::<u64>().ok());
    Some(limit.map_or(all, |limit| limit.min(all)))
}

/// Resident memory now.
pub fn resident_bytes() -> Option<u64> {
    kilobytes(&status()?, "VmRSS")
}

/// The most resident memory since the process began, or since [`reset_peak`].
pub fn peak_bytes() -> Option<u64> {
    kilobytes(&status()?, "VmHWM")
}

/// Forgets the peak so far; whether the system allowed that.
pub fn reset_peak() -> bool {
    // 5 is "reset the peak resident set size" (proc_pid_clear_refs(5)).
    Path::new("/proc/self/clear_refs").exists() && std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn status() -> Option<String> {
    std::fs::read_to_string("/proc/self/status").ok()
}

/// The number behind `key:` in a file of the kernel's, which counts in units of 1024 bytes.
pub(super) fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))?;
    let number = line.split_whitespace().nth(1)?;
    number.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernels_is_read() {
        let status = "Name:\tdrydock\nVmHWM:\t    1234 kB\nVmRSS:\t     100 kB\nVmRSSX:\t 7 kB\n";
        assert_eq!(kilobytes(status, "VmHWM"), Some(1234 * 1024));
        assert_eq!(kilobytes(status, "VmRSS"), Some(100 * 1024));
        assert_eq!(kilobytes(status, "VmPin"), None);
    }

    #[test]
    fn the_peak_is_no_less_than_what_is_there() {
        // Both are counted in pages per thread and may lag behind each other a little.
        let is_sound = resident_bytes().zip(peak_bytes()).is_none_or(|(now, peak)| peak + (4 << 20) >= now);
        assert!(is_sound, "{:?}, {:?}", resident_bytes(), peak_bytes());
    }
}

//! What a process has used, read from `/proc`: processor time, memory, open files, threads.
//! Linux only, as is the place it reads. Knows nothing of calls.

use std::fs;
use std::io;
use std::time::Duration;

use serde::Serialize;

/// Ticks of processor time in a second. Fixed at 100 in the kernel's interface to programs
/// (`USER_HZ`), whatever the kernel itself counts in.
const TICKS_A_SECOND: u64 = 100;

/// What a process has used up to one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Processor time, user and system, all threads; in steps of 10 ms.
    #[serde(serialize_with = "seconds")]
    pub cpu: Duration,
    /// Memory that is resident, in bytes.
    pub rss_bytes: u64,
    /// Open files, sockets included.
    pub fds: u64,
    /// Threads.
    pub threads: u64,
}

fn seconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

/// Looks at a process.
///
/// # Errors
///
/// The process is gone or belongs to somebody else.
pub fn sample(pid: u32) -> io::Result<Sample> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    // The roll-up counts pages; the status adds up per-thread counters that lag behind.
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let odd = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    Ok(Sample {
        cpu: cpu(&stat).ok_or_else(|| odd("no processor time in stat"))?,
        rss_bytes: kib(&rollup, "Rss:")
            .or_else(|| kib(&status, "VmRSS:"))
            .ok_or_else(|| odd("no resident memory in status"))?
            * 1_024,
        fds: fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64,
        threads: line(&status, "Threads:").ok_or_else(|| odd("no threads in status"))?,
    })
}

/// Fields 14 and 15 (`proc_pid_stat(5)`), counted behind the command name: that may hold blanks
/// and brackets itself.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let total = ticks()? + ticks()?;
    Some(Duration::from_millis(total * 1_000 / TICKS_A_SECOND))
}

fn kib(text: &str, name: &str) -> Option<u64> {
    line(text, name)
}

fn line(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_a_strange_name() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 1 0 0 0 150 27 3 4 20 0 9 0 1 2 3";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1_770)));
        assert_eq!(cpu("42 (a) S 1"), None);
    }

    #[test]
    fn memory_is_found_in_either_file() {
        let rollup = "5580-7ff [rollup]\nRss:                4312 kB\nPss:   100 kB\n";
        assert_eq!(kib(rollup, "Rss:"), Some(4_312));
        assert_eq!(kib("VmPeak: 9 kB\nVmRSS:\t  77 kB\n", "VmRSS:"), Some(77));
        assert_eq!(kib("", "Rss:"), None);
    }

    #[test]
    fn this_process_can_be_looked_at() {
        let before = sample(std::process::id()).expect("it lives");
        let held: Vec<u8> = std::hint::black_box(vec![1; 256 << 20]);
        let file = fs::File::open("/proc/self/stat").expect("it is there");
        let mut sum = 0_u64;
        let mut after = before;
        while after.cpu < before.cpu + Duration::from_millis(20) {
            sum += std::hint::black_box(&held).iter().map(|byte| u64::from(*byte)).sum::<u64>();
            after = sample(std::process::id()).expect("it lives");
        }
        assert!(sum > 0);
        assert!(after.rss_bytes >= before.rss_bytes + (128 << 20), "{before:?} {after:?}");
        assert!(after.fds > 0 && after.threads > 0);
        drop(file);
    }
}

//! What the system says of this process, under the names that Prometheus' own libraries give it. Where it says nothing, nothing is
//! told: a zero would be taken for one.

use std::fmt::Write as _;
use std::fs;

use super::metrics::head;
use crate::domain::Timestamp;

/// Adds it to the text for Prometheus. `since` is when the server began to answer.
pub fn render(text: &mut String, since: Timestamp) {
    let mut tell = |name: &str, kind: &str, help: &str, value: String| {
        head(text, name, kind, help);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} {value}");
    };
    tell(
        "process_start_time_seconds",
        "gauge",
        "When the server began to answer.",
        (since.0 / 1_000).to_string(),
    );
    if let Some(Spent { hundredths, threads, pages }) =
        fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(spent)
    {
        let cpu = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        tell("process_cpu_seconds_total", "counter", "Processor time of this process.", cpu);
        tell("process_threads", "gauge", "Threads of this process.", threads.to_string());
        let bytes = pages.saturating_mul(rustix::param::page_size() as u64);
        tell(
            "process_resident_memory_bytes",
            "gauge",
            "Memory that this process occupies.",
            bytes.to_string(),
        );
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is the directory that is read here.
        let open = open.count().saturating_sub(1);
        tell("process_open_fds", "gauge", "Files and connections open in this process.", open.to_string());
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(limit) = limit {
        tell("process_max_fds", "gauge", "How many may be open.", limit.to_string());
    }
}

/// Of a process: hundredths of a second on processors, threads, pages of memory.
#[derive(Debug, PartialEq, Eq)]
struct Spent {
    hundredths: u64,
    threads: u64,
    pages: u64,
}

/// From the line of proc(5), `/proc/pid/stat`. The name, in brackets, may hold anything.
fn spent(stat: &str) -> Option<Spent> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    // The first of them is the third of the line.
    let field = |nth: usize| fields.get(nth.checked_sub(3)?)?.parse::<u64>().ok();
    let ticks = field(14)?.checked_add(field(15)?)?;
    let hundredths = ticks.checked_mul(100)?.checked_div(rustix::param::clock_ticks_per_second())?;
    Some(Spent { hundredths, threads: field(20)?, pages: field(24)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_process_with_a_strange_name_is_read() {
        let stat = "4121 (key) deck (x) S 1 2 3 0 -1 4 5 6 7 8 250 50 0 0 20 0 9 0 100 5000 321 18446744073709551615 1 1 0";
        assert_eq!(spent(stat), Some(Spent { hundredths: 300, threads: 9, pages: 321 }));
        assert_eq!(spent("4121 keydeck S"), None);
        assert_eq!(spent("4121 (keydeck) S 1"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_occupies_memory_and_has_files_open() {
        let mut text = String::new();
        render(&mut text, Timestamp(1_790_000_000_000));
        for name in
            ["process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_threads"]
        {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
            assert!(line.parse::<u64>().unwrap() > 0, "{name} {line}");
        }
        assert!(text.contains("process_start_time_seconds 1790000000\n"), "{text}");
    }
}

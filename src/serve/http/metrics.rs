//! Counters, cheap enough for every request: each thread writes to a line of memory of its own, and only whoever
//! reads adds them up. Rendered in the text format of Prometheus.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::domain::Reason;

/// What became of a request to `/verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may pass.
    Allowed,
    /// It presented nothing that is a credential here.
    NoCredential,
    /// It presented more than one.
    SeveralCredentials,
    /// The proxy's question could not be read.
    Unreadable,
    /// The path it asks for reads in two ways.
    AmbiguousPath,
    /// The engine said no.
    Denied(Reason),
}

/// What went wrong outside of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A connection was closed because the house was full.
    Full,
    /// A connection was closed because it took too long.
    Slow,
    /// The system could not give a connection.
    Accept,
    /// What came was no HTTP, or too much of it.
    Malformed,
    /// A handler broke.
    Panic,
    /// No access token was signed: the clock is in doubt.
    Clock,
}

const FAULTS: [(Fault, &str); 6] = [
    (Fault::Full, "full"),
    (Fault::Slow, "slow"),
    (Fault::Accept, "accept"),
    (Fault::Malformed, "malformed"),
    (Fault::Panic, "panic"),
    (Fault::Clock, "clock_suspect"),
];

/// Threads that count side by side; more of them share.
const LINES: usize = 16;
/// Outcomes before the engine is asked.
const OWN: [&str; 5] = ["", "no_credential", "several_credentials", "unreadable_question", "ambiguous_path"];
/// The engine's reasons.
const REASONS: usize = Reason::ALL.len();
/// Buckets of time, each twice as wide as the one before, the first up to 1.024 µs.
const BUCKETS: usize = 14;
const FIRST_BUCKET_BITS: u32 = 10;

#[repr(align(128))]
#[derive(Default)]
struct Line {
    outcomes: [AtomicU64; OWN.len()],
    reasons: [AtomicU64; REASONS],
    buckets: [AtomicU64; BUCKETS + 1],
    nanoseconds: AtomicU64,
}

/// All counters.
#[derive(Default)]
pub struct Metrics {
    lines: [Line; LINES],
    connections: AtomicU64,
    faults: [AtomicU64; FAULTS.len()],
}

thread_local! {
    static LINE: Cell<usize> = const { Cell::new(usize::MAX) };
    static STARTED: Cell<u32> = const { Cell::new(0) };
}

/// One answer in so many is timed: looking at the clock twice costs a tenth of the work itself.
const TIMED_EVERY: u32 = 8;

/// Times an answer, or does not.
#[derive(Clone, Copy)]
pub struct Stopwatch(Option<Instant>);

impl Stopwatch {
    /// Starts, for the first of every eight answers of a thread.
    pub fn start() -> Self {
        let started = STARTED.get();
        STARTED.set(started.wrapping_add(1));
        Self(started.is_multiple_of(TIMED_EVERY).then(Instant::now))
    }

    /// The time since the start, if it was taken.
    pub fn read(self) -> Option<Duration> {
        self.0.map(|start| start.elapsed())
    }
}

/// Which line this thread writes to.
fn line() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let line = LINE.get();
    if line < LINES {
        return line;
    }
    let line = NEXT.fetch_add(1, Ordering::Relaxed) % LINES;
    LINE.set(line);
    line
}

impl Metrics {
    /// Counts a decision and, where it was timed, how long it took.
    pub fn count(&self, outcome: Outcome, taken: Option<Duration>) {
        let Some(line) = self.lines.get(line()) else { return };
        if let Some(taken) = taken {
            time(line, taken);
        }
        let own = match outcome {
            Outcome::Allowed => 0,
            Outcome::NoCredential => 1,
            Outcome::SeveralCredentials => 2,
            Outcome::Unreadable => 3,
            Outcome::AmbiguousPath => 4,
            Outcome::Denied(reason) => return add(&line.reasons, reason as usize, 1),
        };
        add(&line.outcomes, own, 1);
    }

    /// Counts a connection.
    pub fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what went wrong.
    pub fn count_fault(&self, fault: Fault) {
        if let Some(at) = FAULTS.iter().position(|(known, _)| *known == fault) {
            add(&self.faults, at, 1);
        }
    }

    fn sum(&self, of: impl Fn(&Line) -> Option<&AtomicU64>) -> u64 {
        self.lines.iter().filter_map(of).map(|count| count.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }

    /// The text for Prometheus, with gauges read by the caller, and how many keys are in which state.
    pub fn render(&self, gauges: &[(&str, &str, usize)], states: &[(&str, usize)]) -> String {
        let mut text = String::with_capacity(4_096);
        head(&mut text, "keydeck_build_info", "gauge", "Which keydeck this is.");
        line_of(&mut text, "keydeck_build_info", &format!("version=\"{}\"", env!("CARGO_PKG_VERSION")), 1);
        for (name, help, value) in gauges {
            head(&mut text, name, "gauge", help);
            line_of(&mut text, name, "", *value as u64);
        }
        let name = "keydeck_keys_in_state";
        head(
            &mut text,
            name,
            "gauge",
            "Keys by their state; of a large store as they were some questions ago.",
        );
        for (state, count) in states {
            line_of(&mut text, name, &format!("state=\"{state}\""), *count as u64);
        }
        self.render_decisions(&mut text);
        self.render_time(&mut text);
        let name = "keydeck_http_connections_total";
        head(&mut text, name, "counter", "Connections taken.");
        line_of(&mut text, name, "", self.connections.load(Ordering::Relaxed));
        let name = "keydeck_http_faults_total";
        head(&mut text, name, "counter", "Connections and requests that came to nothing, and why.");
        for ((_, word), count) in FAULTS.iter().zip(&self.faults) {
            line_of(&mut text, name, &format!("kind=\"{word}\""), count.load(Ordering::Relaxed));
        }
        text
    }

    fn render_decisions(&self, text: &mut String) {
        let name = "keydeck_verify_decisions_total";
        head(text, name, "counter", "Answers of /verify, by outcome and reason.");
        for (at, word) in OWN.iter().enumerate() {
            let outcome = if word.is_empty() { "allow" } else { "deny" };
            let labels = format!("outcome=\"{outcome}\",reason=\"{word}\"");
            line_of(text, name, &labels, self.sum(|line| line.outcomes.get(at)));
        }
        for reason in Reason::ALL {
            let labels = format!("outcome=\"deny\",reason=\"{}\"", reason.code());
            line_of(text, name, &labels, self.sum(|line| line.reasons.get(reason as usize)));
        }
    }

    fn render_time(&self, text: &mut String) {
        let name = "keydeck_verify_seconds";
        head(
            text,
            name,
            "histogram",
            "Time from a read request to its answer, not counting the network; one answer in eight is timed.",
        );
        let mut below = 0;
        for at in 0..=BUCKETS {
            below += self.sum(|line| line.buckets.get(at));
            let bound = if at == BUCKETS {
                "+Inf".to_owned()
            } else {
                seconds(1 << (u64::from(FIRST_BUCKET_BITS) + at as u64))
            };
            line_of(text, "keydeck_verify_seconds_bucket", &format!("le=\"{bound}\""), below);
        }
        let spent = self.sum(|line| Some(&line.nanoseconds));
        let _ = writeln!(text, "keydeck_verify_seconds_sum {}", seconds(spent));
        line_of(text, "keydeck_verify_seconds_count", "", below);
    }
}

fn add(counters: &[AtomicU64], at: usize, by: u64) {
    if let Some(counter) = counters.get(at) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}

fn time(line: &Line, taken: Duration) {
    let nanoseconds = u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX);
    // A bucket's bound belongs to it: 1024 ns are in the first, 1025 in the second.
    let bits = u64::BITS - nanoseconds.saturating_sub(1).leading_zeros();
    let at = (bits.saturating_sub(FIRST_BUCKET_BITS) as usize).min(BUCKETS);
    add(&line.buckets, at, 1);
    line.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
}

/// Exact, in decimal: a bound that is rounded would be another bound.
fn seconds(nanoseconds: u64) -> String {
    format!("{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
}

/// The two lines above a metric.
pub(super) fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line_of(text: &mut String, name: &str, labels: &str, value: u64) {
    let _ = if labels.is_empty() {
        writeln!(text, "{name} {value}")
    } else {
        writeln!(text, "{name}{{{labels}}} {value}")
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_many_threads_are_added_up() {
        let metrics = Metrics::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        metrics.count(Outcome::Allowed, Some(Duration::from_nanos(1_024)));
                        metrics.count(Outcome::Allowed, None);
                        metrics.count(Outcome::Denied(Reason::Revoked), Some(Duration::from_nanos(1_025)));
                    }
                });
            }
        });
        metrics.count_fault(Fault::Slow);
        let text = metrics.render(&[("keydeck_keys", "Keys.", 7)], &[("paused", 2)]);
        for line in [
            "keydeck_keys 7",
            "keydeck_keys_in_state{state=\"paused\"} 2",
            "keydeck_verify_decisions_total{outcome=\"allow\",reason=\"\"} 4000",
            "keydeck_verify_decisions_total{outcome=\"deny\",reason=\"no_credential\"} 0",
            "keydeck_verify_decisions_total{outcome=\"deny\",reason=\"revoked\"} 2000",
            "keydeck_verify_seconds_bucket{le=\"0.000001024\"} 2000",
            "keydeck_verify_seconds_bucket{le=\"0.000002048\"} 4000",
            "keydeck_verify_seconds_bucket{le=\"+Inf\"} 4000",
            "keydeck_verify_seconds_sum 0.004098000",
            "keydeck_verify_seconds_count 4000",
            "keydeck_http_faults_total{kind=\"slow\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn an_alert_on_a_reason_that_has_not_come_yet_finds_it_at_zero() {
        let text = Metrics::default().render(&[], &[]);
        for reason in Reason::ALL {
            let line = format!("{{outcome=\"deny\",reason=\"{}\"}} 0", reason.code());
            assert_eq!(text.lines().filter(|found| found.ends_with(&line)).count(), 1, "{line}\n{text}");
        }
        // Each has a place of its own.
        let metrics = Metrics::default();
        for reason in Reason::ALL {
            metrics.count(Outcome::Denied(reason), None);
        }
        let counted = metrics
            .render(&[], &[])
            .lines()
            .filter(|line| line.contains("reason=") && line.ends_with(" 1"))
            .count();
        assert_eq!(counted, Reason::ALL.len());
    }

    #[test]
    fn the_longest_time_has_a_bucket() {
        let metrics = Metrics::default();
        metrics.count(Outcome::Allowed, Some(Duration::MAX));
        metrics.count(Outcome::Allowed, Some(Duration::ZERO));
        assert!(metrics.render(&[], &[]).contains("{le=\"+Inf\"} 2\n"));
    }
}

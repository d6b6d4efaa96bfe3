//! What the benchmarks share: cases measured in turns beside a yardstick, medians, ratios and a table.
//!
//! Times of a busy machine say little, ratios within one run say much. So every case of a group is measured once
//! per round, in turns with the yardstick, and what is reported is the median over the rounds and the median of
//! the ratios, with the spread of the middle half as noise. What only computes is measured in processor time,
//! which others on the machine cannot stretch; what waits for a disk is measured by the clock on the wall.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![allow(dead_code, reason = "no benchmark needs all of it")]
#![allow(clippy::allow_attributes, reason = "what is unused differs from one benchmark to the next")]

pub mod large;

use std::time::Duration;

/// Fewer rounds and smaller stores: whether it runs, not how fast it is.
pub fn quick() -> bool {
    std::env::var_os("KEYDECK_BENCH_QUICK").is_some_and(|v| v != "0")
}

/// The first argument that is not a switch (cargo itself passes `--bench`): only groups whose name contains it.
pub fn wanted(group: &str) -> bool {
    std::env::args().skip(1).find(|arg| !arg.starts_with('-')).is_none_or(|filter| group.contains(&filter))
}

/// One thing to measure: does it `n` times.
pub struct Case<'a> {
    name: &'a str,
    run: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Case<'a> {
    /// `run(n)` does it `n` times.
    pub fn new(name: &'a str, run: impl FnMut(usize) + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Turns each case gets.
    pub rounds: usize,
    /// Repetitions in one turn.
    pub batch: usize,
}

/// Processor time of this process so far, all threads together.
pub fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or(0))
}

/// Measures the processor time of the cases in turns and prints them beside the first one, the yardstick.
pub fn compare(group: &str, effort: Effort, cases: &mut [Case<'_>]) {
    let Effort { rounds, batch } = effort;
    let mut taken: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds); cases.len()];
    // The first turn warms caches and branch predictors and is not counted.
    for round in 0..=rounds {
        for (case, times) in cases.iter_mut().zip(&mut taken) {
            let start = processor_time();
            (case.run)(batch);
            let each = processor_time().saturating_sub(start).as_secs_f64() / batch as f64;
            if round > 0 {
                times.push(each);
            }
        }
    }
    println!("\n{group}  ({rounds} rounds of {batch})");
    println!("  {:<46} {:>10} {:>7} {:>8} {:>7}", "", "median", "±", "ratio", "±");
    let yardstick = taken.first().cloned().unwrap_or_default();
    for (case, times) in cases.iter().zip(&taken) {
        let ratios: Vec<f64> = times.iter().zip(&yardstick).map(|(t, y)| t / y).collect();
        let (time, ratio) = (Spread::of(times), Spread::of(&ratios));
        println!(
            "  {:<46} {:>10} {:>6.0}% {:>8.2} {:>6.0}%",
            case.name,
            human(time.median),
            time.noise(),
            ratio.median,
            ratio.noise()
        );
    }
}

/// Single durations, of which the slow ones matter too.
pub fn print_latencies(name: &str, taken: &[Duration], yardstick: Duration) {
    let seconds: Vec<f64> = taken.iter().map(Duration::as_secs_f64).collect();
    let spread = Spread::of(&seconds);
    let total: f64 = seconds.iter().sum();
    println!(
        "  {:<40} p50 {:>9}  p99 {:>9}  {:>7.0}/s  ratio {:>5.2}  (n={})",
        name,
        human(spread.median),
        human(percentile(&seconds, 99)),
        seconds.len() as f64 / total,
        spread.median / yardstick.as_secs_f64(),
        seconds.len()
    );
}

/// The middle of some durations.
pub fn median(taken: &[Duration]) -> Duration {
    let seconds: Vec<f64> = taken.iter().map(Duration::as_secs_f64).collect();
    Duration::from_secs_f64(Spread::of(&seconds).median)
}

/// The middle of some figures.
pub fn median_of(figures: &[f64]) -> f64 {
    Spread::of(figures).median
}

struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        Self { median: percentile(values, 50), low: percentile(values, 25), high: percentile(values, 75) }
    }

    /// Half the width of the middle half, in percent of the median.
    fn noise(&self) -> f64 {
        (self.high - self.low) / 2.0 / self.median * 100.0
    }
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len().saturating_sub(1) * percent + 50) / 100;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// Seconds in a unit that fits.
pub fn human(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.1} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// Bytes of memory this process holds now, from the kernel's page counts; 0 where there is no /proc.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

//! The report for a terminal: the verdict first, then what it rests on.

use std::fmt::Write;

use super::Report;
use crate::verdict::{Check, Verdict};

/// Troubles that are told in text; the rest is in the JSON.
const TROUBLES: usize = 12;

/// The report as text, fit to be pasted anywhere.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    write(report, &mut out).expect("a string takes everything");
    out
}

/// A verdict with what it rests on.
pub(crate) fn verdict_text(verdict: &Verdict) -> String {
    let reasons = verdict.not_valid.iter().map(|reason| format!("  not valid: {reason}"));
    let lines = std::iter::once(verdict.word.to_string().to_uppercase())
        .chain(reasons)
        .chain(verdict.checks.iter().map(check_line));
    lines.map(|line| line + "\n").collect()
}

fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    out.push_str(&verdict_text(&report.verdict));
    let asked = &report.asked;
    writeln!(
        out,
        "\n{} · {} calls · {} s · ramp {} s · seed {} · {} cores · {}",
        asked.mode,
        asked.calls,
        asked.for_s,
        asked.ramp_s,
        asked.seed,
        report.machine.cores,
        report.machine.kernel
    )?;
    if !report.times.is_empty() {
        writeln!(
            out,
            "\n{:<44}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}",
            "milliseconds", "count", "p50", "p90", "p99", "p99.9", "max"
        )?;
    }
    for times in &report.times {
        let s = &times.summary;
        writeln!(
            out,
            "{:<44}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}",
            times.name,
            s.count,
            short(s.p50_ms),
            short(s.p90_ms),
            short(s.p99_ms),
            short(s.p999_ms),
            short(s.max_ms)
        )?;
    }
    if !report.numbers.is_empty() {
        writeln!(out)?;
    }
    for number in &report.numbers {
        writeln!(out, "{:<44}{:>10} {}", number.name, short(number.value), number.unit)?;
    }
    rounds(report, out)?;
    troubles(report, out)
}

fn rounds(report: &Report, out: &mut String) -> std::fmt::Result {
    if report.rounds.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nprocessor seconds in 1,000 seconds of calls: bridge, forwarder, ratio")?;
    for round in &report.rounds {
        writeln!(
            out,
            "{:>10}{:>10}{:>10}",
            short(round.bridge_cpu_per_1000_call_s),
            short(round.floor_cpu_per_1000_call_s),
            short(round.ratio)
        )?;
    }
    Ok(())
}

fn troubles(report: &Report, out: &mut String) -> std::fmt::Result {
    if report.troubles.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nwhat went wrong")?;
    for trouble in report.troubles.iter().take(TROUBLES) {
        let call = trouble.call.as_deref().unwrap_or("-");
        writeln!(out, "{:>8.2}s line {:04} {call}: {}", trouble.at_s, trouble.line, trouble.what)?;
    }
    if let Some(more) = report.troubles.len().checked_sub(TROUBLES).filter(|more| *more > 0) {
        writeln!(out, "  and {more} more; --json has them all")?;
    }
    Ok(())
}

fn check_line(check: &Check) -> String {
    let mark = match (check.value, check.holds) {
        (None, _) => "?",
        (Some(_), true) => "✓",
        (Some(_), false) => "✗",
    };
    let value = check.value.map_or_else(|| "-".to_owned(), short);
    let unit = if check.unit.is_empty() { String::new() } else { format!(" {}", check.unit) };
    format!(
        "  {mark} {:<44}{value:>9}{unit}  (at most {})",
        check.quantity.to_string(),
        short(check.most)
    )
}

/// A number as long as its size deserves.
fn short(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e9 {
        format!("{value:.0}")
    } else if value.abs() >= 100.0 {
        format!("{value:.1}")
    } else if value.abs() >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn the_verdict_comes_first_with_what_it_rests_on() {
        let text = text(&sample());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "FAILED");
        assert!(lines[1].starts_with("  ✓ calls lost"), "{}", lines[1]);
        assert!(lines[2].starts_with("  ✗ added latency to the model, p99"), "{}", lines[2]);
        assert!(lines[2].ends_with("12.25 ms  (at most 10)"), "{}", lines[2]);
        assert!(text.contains("answers heard"));
        assert!(lines.iter().all(|line| line.chars().count() <= 100));
    }
}

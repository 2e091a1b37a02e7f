//! What a run of kills has shown, and what that is worth.

use std::fmt::Write as _;
use std::time::Duration;

use super::scene::Step;
use crate::verdict::Word;

/// What was wrong, by kind, and how much was tried.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) kills: Vec<Step>,
    /// Orders that were acknowledged before the kill.
    pub(super) acknowledged: u64,
    /// Calls that were told of to their end.
    pub(super) told: usize,
    /// Calls that went on after their server was killed.
    pub(super) went_on: u64,
    /// Effects that a tool had.
    pub(super) effects: usize,
    pub(super) doubled: Vec<String>,
    pub(super) forgotten: Vec<String>,
    pub(super) effects_doubled: Vec<String>,
    pub(super) effects_mistold: Vec<String>,
    pub(super) unsettled: Vec<String>,
    pub(super) untold: Vec<String>,
}

impl Findings {
    fn all(&self) -> [(&'static str, &[String]); 6] {
        [
            ("orders that rang somebody twice", &self.doubled),
            ("acknowledged orders that were forgotten", &self.forgotten),
            ("effects of a tool that came twice", &self.effects_doubled),
            ("effects of a tool that were told wrongly", &self.effects_mistold),
            ("calls that were left open", &self.unsettled),
            ("ends that nobody was told of", &self.untold),
        ]
    }

    /// Everything that was wrong.
    pub(super) fn wrong(&self) -> Vec<String> {
        self.all().iter().flat_map(|(_, wrong)| wrong.iter().cloned()).collect()
    }

    pub(super) fn word(&self) -> Word {
        match self.all().iter().all(|(_, wrong)| wrong.is_empty()) {
            // Kills that all came too early, or all too late, show nothing.
            true if self.acknowledged == 0 || self.told == 0 => Word::NotValid,
            true => Word::Passed,
            false => Word::Failed,
        }
    }

    pub(super) fn text(&self, seed: u64, took: Duration) -> String {
        let mut out = format!("{}\n", self.word().to_string().to_uppercase());
        for (what, wrong) in self.all() {
            let mark = if wrong.is_empty() { '✓' } else { '✗' };
            let _whole = writeln!(out, "  {mark} {what:<48}{:>6}", wrong.len());
        }
        let (kills, seconds) = (self.kills.len(), took.as_secs_f64());
        let _whole = writeln!(out, "\ncrash · {kills} kills · seed {seed} · {seconds:.1} s");
        let kills = Step::ALL.map(|step| {
            let count = self.kills.iter().filter(|killed| **killed == step).count();
            (step.word(), count)
        });
        let acknowledged = usize::try_from(self.acknowledged).unwrap_or(usize::MAX);
        let went_on = usize::try_from(self.went_on).unwrap_or(usize::MAX);
        let rest = [
            ("orders acknowledged before the kill", acknowledged),
            ("calls that went on after it", went_on),
            ("effects of the tool", self.effects),
            ("calls told of to their end", self.told),
        ];
        for (what, count) in kills.into_iter().chain(rest) {
            let _whole = writeln!(out, "{what:<52}{count:>6}");
        }
        for line in self.wrong() {
            let _whole = writeln!(out, "{line}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_doubled_order_fails_a_run_and_kills_that_all_came_too_early_show_nothing() {
        let kills = vec![Step::Placing, Step::Tool];
        let mut findings = Findings { kills, told: 3, ..Findings::default() };
        assert_eq!(findings.word(), Word::NotValid);
        findings.acknowledged = 2;
        assert_eq!(findings.word(), Word::Passed);
        findings.doubled.push("seed 7: it was dialled 2 times".to_owned());
        assert_eq!(findings.word(), Word::Failed);
        let text = findings.text(1, Duration::from_secs(1));
        assert!(text.starts_with("FAILED\n") && text.contains("seed 7"), "{text}");
    }
}

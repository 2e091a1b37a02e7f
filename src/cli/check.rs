//! `tandem check`: looks at everything that is configured, a line for each thing.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::say;
use crate::check::{Finding, From, Look, State, What};
use crate::config::{Config, ConfigError};

/// Longer than all requests of a check together.
const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Options {
    /// Print one JSON document instead of lines.
    #[arg(long)]
    json: bool,
}

/// Exit 0 when nothing has failed, 1 otherwise.
pub(super) async fn run(options: Options, config: Result<Config, ConfigError>) -> ExitCode {
    let findings = match config {
        Ok(config) => {
            let look = Look { only: &What::ALL, from: From::Outside, within: PATIENCE };
            look.at(&config).await
        }
        Err(error) => {
            let told = error.to_string();
            // The line begins with that word.
            let told = told.strip_prefix("configuration: ").unwrap_or(&told);
            vec![Finding::of(What::Configuration, "", Err(told.to_owned()))]
        }
    };
    let good = findings.iter().all(|finding| finding.state != State::Failed);
    if options.json {
        say(&serde_json::json!({ "good": good, "findings": findings }).to_string());
    } else {
        for finding in &findings {
            say(&line(finding));
        }
        if good {
            say("everything is well; start with: tandem");
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(finding: &Finding) -> String {
    let Finding { what, name, state, detail, action } = finding;
    let mark = match state {
        State::Ok => '✓',
        State::Failed => '✗',
        State::Skipped => '·',
    };
    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
    let action = action.as_ref().map(|action| format!("; {action}")).unwrap_or_default();
    format!("{mark} {:<14} {name}{detail}{action}", what.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_it_is_how_it_is_and_what_to_do() {
        let trouble = Err("it is refused; check the key".to_owned());
        let failed = Finding::of(What::Model, "gpt", trouble);
        assert_eq!(line(&failed), "✗ model          gpt: it is refused; check the key");
        let good = Finding::of(What::MayRing, "", Ok("all".to_owned()));
        assert_eq!(line(&good), "✓ may ring       all");
    }
}

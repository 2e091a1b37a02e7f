//! `tandem setup`: asks for what a real carrier and a real model need, shows what it will write,
//! and writes it when told to. Secrets never come into the file of settings.

mod answers;
mod files;
mod terminal;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use toml_edit::{DocumentMut, Item, Table, value};

use crate::config::{self, Config, Whose};
use crate::elsewhere::{self, Step};
use terminal::{Hiding, Terminal};

/// Where secrets are written unless told otherwise.
pub(super) const SECRETS: &str = "tandem.env";

#[derive(Args, Clone, Debug)]
pub(super) struct Options {
    /// Where secrets are written when you agree, readable by nobody else.
    #[arg(long, value_name = "FILE", default_value = SECRETS)]
    secrets: PathBuf,
}

pub(super) fn run(options: &Options, file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let stdin = std::io::stdin();
    let hiding = if stdin.is_terminal() { Hiding::Terminal } else { Hiding::Piped };
    let (mut input, mut output) = (stdin.lock(), std::io::stdout());
    let place = Place {
        settings: file.unwrap_or(Path::new(config::DEFAULT_FILE)).to_owned(),
        secrets: options.secrets.clone(),
        environment: config::environment(),
    };
    converse(&mut input, &mut output, hiding, &place)?;
    Ok(ExitCode::SUCCESS)
}

/// What there is already, and where what is asked goes.
struct Place {
    settings: PathBuf,
    secrets: PathBuf,
    environment: BTreeMap<String, String>,
}

/// A secret that has been given: the name of its variable, and itself.
type Given = (&'static str, SecretString);

fn converse(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    hiding: Hiding,
    place: &Place,
) -> anyhow::Result<()> {
    let mut terminal = Terminal::new(input, output, hiding);
    let before = files::read(&place.settings)?;
    let path = place.settings.display();
    let mut document: DocumentMut =
        before.parse().with_context(|| format!("{path} is not TOML; mend it or move it away"))?;
    terminal.say("An empty answer keeps what stands in brackets.")?;
    answers::settings(&mut terminal, &mut document)?;
    let text = document.to_string();
    let unusable = "what was answered cannot be used; nothing was written";
    let config = config::read(&text, &place.environment).context(unusable)?;
    let given = secrets(&mut terminal, &config, place)?;
    verify(&text, &config, &given, place).context(unusable)?;
    terminal.say(&format!("\n--- {path}\n{}\n---", text.trim()))?;
    for (name, _) in &given {
        terminal.say(&format!("{name}=(not shown), in {}", place.secrets.display()))?;
    }
    let question = match before.is_empty() {
        true => "Write this?".to_owned(),
        false => format!("Replace {path} (the old one is kept beside it, as .bak)?"),
    };
    if !terminal.agree(&question, before.is_empty())? {
        return Ok(terminal.say("Nothing was written.")?);
    }
    files::replace(&place.settings, &before, &text)?;
    if !given.is_empty() {
        files::keep_secret(&place.secrets, &given)?;
    }
    for line in next(&config, &given, place) {
        terminal.say(&line)?;
    }
    Ok(())
}

/// Asks for the secrets that the settings need and the environment does not have.
fn secrets(
    terminal: &mut Terminal<'_>,
    config: &Config,
    place: &Place,
) -> anyhow::Result<Vec<Given>> {
    let wanted: Vec<_> = config.needs().into_iter().filter(|need| !config.has(need)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let file = place.secrets.display();
    if !terminal.agree(&format!("Keep the secrets in {file}, readable by you alone?"), true)? {
        let names: Vec<_> = wanted.iter().map(|secret| secret.variable).collect();
        terminal.say(&format!("Set these yourself: {}", names.join(", ")))?;
        return Ok(Vec::new());
    }
    let mut given = Vec::new();
    for secret in wanted {
        let stands = files::holds(&place.secrets, secret.variable)?;
        let empty = match (stands, secret.whose) {
            (true, _) => Some("empty keeps the one that stands there"),
            (false, Whose::Ours) => Some("empty makes one up"),
            (false, Whose::Theirs) => None,
        };
        match terminal.secret(secret.about, empty, secret.check)? {
            Some(value) => given.push((secret.variable, value)),
            None if stands => {}
            None => given.push((secret.variable, made_up())),
        }
    }
    Ok(given)
}

/// A secret beyond guessing, fit for an address.
fn made_up() -> SecretString {
    format!("{:032x}", rand::random::<u128>()).into()
}

/// Reads what will be written as the server will. Secrets that it needs and the operator sets
/// later are stood in for.
fn verify(text: &str, config: &Config, given: &[Given], place: &Place) -> anyhow::Result<()> {
    let mut environment = place.environment.clone();
    for (name, secret) in given {
        environment.insert((*name).to_owned(), secret.expose_secret().to_owned());
    }
    for need in config.needs().iter().filter(|need| !config.has(need)) {
        environment.entry(need.variable.to_owned()).or_insert_with(|| "set later".to_owned());
    }
    config::of(text, &environment)?;
    Ok(())
}

/// What is left to do, in its order.
fn next(config: &Config, given: &[Given], place: &Place) -> Vec<String> {
    let named = match place.settings == Path::new(config::DEFAULT_FILE) {
        true => String::new(),
        false => format!(" --config {}", place.settings.display()),
    };
    let mut lines = vec!["Written.".to_owned()];
    let steps = elsewhere::steps(config);
    if !steps.is_empty() {
        lines.push("Elsewhere:".to_owned());
        lines.extend(steps.iter().flat_map(Step::lines));
    }
    lines.push("Here, one after the other:".to_owned());
    if !given.is_empty() || place.secrets.exists() {
        // A shell looks for a name without a slash among its programs.
        let bare = place.secrets.components().count() == 1 && place.secrets.is_relative();
        let here = if bare { "./" } else { "" };
        lines.push(format!("  set -a; . {here}{}; set +a", place.secrets.display()));
    }
    lines.push(format!("  tandem{named} check"));
    lines.push(format!("  tandem{named}"));
    lines
}

/// Puts one setting where it belongs, beside what stands there.
fn put(document: &mut DocumentMut, section: &str, key: &str, setting: &str) {
    let table = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
    if let Some(table) = table.as_table_like_mut() {
        table.insert(key, value(setting));
    }
}

/// A setting as the file has it.
fn standing(document: &DocumentMut, section: &str, key: &str) -> Option<String> {
    document.get(section)?.get(key)?.as_str().map(str::to_owned)
}

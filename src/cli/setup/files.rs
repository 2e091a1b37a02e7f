//! The two files: settings, of which the old ones are kept, and secrets, which are ours alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use super::Given;

/// The text of the file; empty when there is none.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Writes the settings; the old ones go to `<file>.bak`.
pub(super) fn replace(path: &Path, before: &str, text: &str) -> anyhow::Result<()> {
    if !before.is_empty() {
        let backup = beside(path, ".bak");
        fs::copy(path, &backup).with_context(|| format!("no backup at {}", backup.display()))?;
    }
    write(path, text, 0o644)
}

/// Whether the file of secrets has this one.
pub(super) fn holds(path: &Path, name: &str) -> anyhow::Result<bool> {
    Ok(read(path)?.lines().any(|line| named(line) == name))
}

/// The variable that a line of the file of secrets sets.
fn named(line: &str) -> &str {
    line.trim_start_matches("export ").split('=').next().unwrap_or_default()
}

/// Writes the secrets as lines that a shell and systemd read, other lines of the file kept.
pub(super) fn keep_secret(path: &Path, given: &[Given]) -> anyhow::Result<()> {
    let ours = |line: &str| given.iter().any(|(name, _)| *name == named(line));
    let mut text: String =
        read(path)?.lines().filter(|line| !ours(line)).map(|line| format!("{line}\n")).collect();
    for (name, secret) in given {
        let quoted = secret.expose_secret().replace('\'', r"'\''");
        text.push_str(&format!("{name}='{quoted}'\n"));
    }
    write(path, &text, 0o600)
}

/// A new file takes the old one's place at once: it is never half written, nor readable by
/// others for a moment.
fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let fresh = beside(path, ".new");
    let written = (|| {
        let _none = fs::remove_file(&fresh);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        let mut file = options.open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    })();
    written.with_context(|| format!("{} cannot be written", path.display()))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

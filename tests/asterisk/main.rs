//! Calls of a real SIP phone through a real Asterisk: `tests/asterisk/run`. Not among the tests
//! that `cargo test` runs, for it needs a distribution that holds an Asterisk, and root.

mod pbx;
mod phone;
mod process;
mod sound;
mod stories;
mod tandem;
mod trunk;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use pbx::Pbx;
use phone::Phone;
use stories::World;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("✗ {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let usage = "run it by tests/asterisk/run";
    let (root, dir) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let ended = tell(&root, &dir).await;
    if ended.is_err() {
        say(&format!("  the logs are in {}", dir.display()));
    }
    ended
}

async fn tell(root: &Path, dir: &Path) -> anyhow::Result<()> {
    let pbx = Pbx::start(root, dir).await?;
    say(&format!("Asterisk {}", pbx.version().await?));
    let phone = Phone::start(dir, stories::COLLEAGUE, stories::PHONE).await?;
    let mut world = World { pbx, phone, dir: dir.to_owned() };
    let ended = world.live().await;
    let log = world.pbx.log().unwrap_or_default();
    std::fs::write(dir.join("asterisk-full.log"), log)?;
    ended
}

/// Prints a line. A reader that has gone away is no reason to panic.
fn say(line: &str) {
    let _gone = writeln!(std::io::stdout().lock(), "{line}");
}

//! A real Asterisk, from a folder that holds a distribution with it, set up as docs/asterisk.md
//! says: what is written there is what runs here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::time::sleep;

use crate::process::Process;

const DOCUMENT: &str = include_str!("../../docs/asterisk.md");

/// What the document leaves to the reader: the trunk, and what belongs to every Asterisk.
const OURS: [(&str, &str); 4] = [
    ("asterisk.conf", include_str!("etc/asterisk.conf")),
    ("logger.conf", include_str!("etc/logger.conf")),
    ("pjsip.conf", include_str!("etc/pjsip.conf")),
    ("rtp.conf", include_str!("etc/rtp.conf")),
];

/// How callers come to us.
#[derive(Clone, Copy)]
pub(crate) enum Dialplan {
    /// `Stasis(tandem)`.
    Stasis,
    /// `Dial(WebSocket/tandem/…)`.
    Dial,
}

/// A running Asterisk.
pub(crate) struct Pbx {
    root: PathBuf,
    http: reqwest::Client,
    _process: Process,
}

impl Pbx {
    /// Starts the one in this folder. Its `mnt` is writable and empty.
    pub(crate) async fn start(root: &Path, dir: &Path) -> anyhow::Result<Self> {
        let etc = root.join("mnt/etc");
        for folder in [&etc, &root.join("mnt/log"), &root.join("mnt/run"), &root.join("mnt/spool")]
        {
            fs::create_dir_all(folder)?;
        }
        for (name, text) in OURS {
            fs::write(etc.join(name), text)?;
        }
        for name in ["http.conf", "ari.conf", "websocket_client.conf"] {
            fs::write(etc.join(name), documented(name, 0)?)?;
        }
        let modules = include_str!("etc/modules.conf").to_owned() + documented("modules.conf", 0)?;
        fs::write(etc.join("modules.conf"), modules)?;
        fs::write(etc.join("extensions.conf"), documented("extensions.conf", 0)?)?;
        let mut command = Command::new("chroot");
        command.arg(root).args(["asterisk", "-f", "-C", "/mnt/etc/asterisk.conf"]);
        let process = Process::start(&mut command, &dir.join("asterisk.log"))?;
        let http = reqwest::Client::new();
        let pbx = Self { root: root.to_owned(), http, _process: process };
        for _ in 0..600 {
            if pbx.ask("asterisk/ping").await.is_ok() {
                return Ok(pbx);
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("asterisk does not answer at its REST interface")
    }

    /// Which one it is.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let told = self.ask("asterisk/info").await?;
        Ok(told["system"]["version"].as_str().context("no version")?.to_owned())
    }

    /// Sends callers to us in this way.
    pub(crate) fn dialplan(&self, dialplan: Dialplan) -> anyhow::Result<()> {
        let text = documented("extensions.conf", dialplan as usize)?;
        fs::write(self.root.join("mnt/etc/extensions.conf"), text)?;
        let mut command = Command::new("chroot");
        command.arg(&self.root).args(["asterisk", "-C", "/mnt/etc/asterisk.conf"]);
        let output = command.args(["-r", "-x", "dialplan reload"]).output()?;
        let told = String::from_utf8_lossy(&output.stdout);
        ensure!(told.contains("reloaded"), "the dialplan is not loaded: {told}");
        Ok(())
    }

    /// Fails when a channel or a bridge is still there after a minute.
    pub(crate) async fn is_left_empty(&self) -> anyhow::Result<()> {
        let mut left = (Value::Null, Value::Null);
        for _ in 0..600 {
            left = (self.ask("channels").await?, self.ask("bridges").await?);
            if left == (Value::Array(Vec::new()), Value::Array(Vec::new())) {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("left at asterisk: {left:?}")
    }

    /// How many channels are in each bridge.
    pub(crate) async fn bridged(&self) -> anyhow::Result<Vec<usize>> {
        let told = self.ask("bridges").await?;
        let bridges = told.as_array().context("no bridges")?;
        Ok(bridges.iter().filter_map(|it| Some(it["channels"].as_array()?.len())).collect())
    }

    /// What it says in its log.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        let bytes = fs::read(self.root.join("mnt/log/full"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn ask(&self, what: &str) -> anyhow::Result<Value> {
        let url = format!("http://127.0.0.1:8088/ari/{what}");
        let request = self.http.get(url).basic_auth("tandem", Some("ARI-PASSWORD"));
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

/// The document's `n`th block of settings for this file.
fn documented(name: &str, n: usize) -> anyhow::Result<&'static str> {
    let (_, from) =
        DOCUMENT.split_once(&format!("`{name}`:")).with_context(|| format!("no {name}"))?;
    block(from, "ini", n).with_context(|| format!("{name} has no block {n}"))
}

/// The document's settings of Tandem.
pub(crate) fn settings() -> anyhow::Result<&'static str> {
    block(DOCUMENT, "toml", 0).context("no settings of tandem")
}

fn block<'a>(text: &'a str, language: &str, n: usize) -> Option<&'a str> {
    let from = text.split(&format!("```{language}\n")).nth(n + 1)?;
    from.split("```").next()
}

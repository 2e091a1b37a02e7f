//! A SIP phone that is none of ours: `baresip`, worked through its control socket. What it says
//! is a WAV file, what it hears becomes one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::process::Process;
use crate::sound::{self, Heard};

/// Whatever a phone is to do happens within this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running phone.
pub(crate) struct Phone {
    order: OwnedWriteHalf,
    answers: mpsc::Receiver<Value>,
    events: mpsc::Receiver<Value>,
    dir: PathBuf,
    said: usize,
    _process: Process,
}

impl Phone {
    /// Starts one with these numbers, which are picked up by themselves or by order.
    pub(crate) async fn start(dir: &Path, by_itself: &str, by_order: &str) -> anyhow::Result<Self> {
        let dir = dir.join("phone");
        fs::create_dir(&dir)?;
        let silence = dir.join("silence.wav");
        sound::write(&silence, "")?;
        let settings = include_str!("etc/baresip").replace("DIR", &dir.display().to_string());
        fs::write(dir.join("config"), settings)?;
        let account = |number: &str, mode: &str| {
            format!("<sip:{number}@127.0.0.1:5070>;regint=0;answermode={mode};audio_codecs=PCMU\n")
        };
        let accounts = account(by_order, "manual") + &account(by_itself, "auto");
        fs::write(dir.join("accounts"), accounts)?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(&dir);
        let process = Process::start(&mut command, &dir.join("log"))?;
        let mut tries = 0;
        let socket = loop {
            match TcpStream::connect("127.0.0.1:4444").await {
                Ok(socket) => break socket,
                Err(error) if tries == 100 => return Err(error).context("baresip"),
                Err(_) => tries += 1,
            }
            sleep(Duration::from_millis(100)).await;
        };
        let (from, order) = socket.into_split();
        let ((answer, answers), (told, events)) = (mpsc::channel(64), mpsc::channel(1_024));
        drop(tokio::spawn(async move {
            let mut from = BufReader::new(from);
            while let Ok(message) = netstring(&mut from).await {
                let to = if message["response"] == true { &answer } else { &told };
                if to.send(message).await.is_err() {
                    return;
                }
            }
        }));
        Ok(Self { order, answers, events, dir, said: 0, _process: process })
    }

    /// Rings a number at the PBX.
    pub(crate) async fn dial(&mut self, number: &str) -> anyhow::Result<()> {
        self.hush().await?;
        self.tell("dial", &format!("sip:{number}@127.0.0.1:5060")).await
    }

    /// Picks up what rings.
    pub(crate) async fn pick_up(&mut self) -> anyhow::Result<()> {
        self.hush().await?;
        self.tell("accept", "").await
    }

    pub(crate) async fn hang_up(&mut self) -> anyhow::Result<()> {
        self.tell("hangup", "").await
    }

    /// Says this, from now on.
    pub(crate) async fn say(&mut self, words: &str) -> anyhow::Result<()> {
        self.said += 1;
        let file = self.dir.join(format!("said-{}.wav", self.said));
        sound::write(&file, words)?;
        self.tell("ausrc", &format!("aufile,{}", file.display())).await
    }

    async fn hush(&mut self) -> anyhow::Result<()> {
        let file = self.dir.join("silence.wav");
        self.tell("ausrc", &format!("aufile,{}", file.display())).await
    }

    /// Presses keys (RFC 4733).
    pub(crate) async fn press(&mut self, keys: &str) -> anyhow::Result<()> {
        self.tell("sndcode", keys).await
    }

    /// Waits for an event of this type, whatever comes before.
    pub(crate) async fn until(&mut self, kind: &str) -> anyhow::Result<Value> {
        let found = async {
            while let Some(event) = self.events.recv().await {
                if event["type"] == kind {
                    return Ok(event);
                }
            }
            bail!("baresip is gone")
        };
        timeout(PATIENCE, found).await.with_context(|| format!("baresip: no {kind}"))?
    }

    /// What the phone heard in each call so far, the last one last.
    pub(crate) fn heard(&self) -> anyhow::Result<Vec<Heard>> {
        let mut files: Vec<PathBuf> = fs::read_dir(&self.dir)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        files.sort();
        files.iter().map(|file| Heard::of(file, 0)).collect()
    }

    /// What it heard in the last call.
    pub(crate) fn heard_last(&self) -> anyhow::Result<Heard> {
        self.heard()?.pop().context("the phone has recorded nothing")
    }

    async fn tell(&mut self, command: &str, with: &str) -> anyhow::Result<()> {
        let order = json!({ "command": command, "params": with, "token": command }).to_string();
        self.order.write_all(format!("{}:{order},", order.len()).as_bytes()).await?;
        let answer = timeout(PATIENCE, self.answers.recv()).await?.context("baresip is gone")?;
        if answer["ok"] != true {
            bail!("baresip: {command}: {}", answer["data"]);
        }
        Ok(())
    }
}

/// `length:json,`
async fn netstring(from: &mut (impl AsyncBufReadExt + Unpin)) -> anyhow::Result<Value> {
    let mut length = Vec::new();
    from.read_until(b':', &mut length).await?;
    length.pop();
    let mut text = vec![0; std::str::from_utf8(&length)?.parse::<usize>()? + 1];
    from.read_exact(&mut text).await?;
    text.pop();
    Ok(serde_json::from_slice(&text)?)
}

//! A child process that is this program again, playing another part: started, awaited until it
//! says where it listens, killed when dropped. The parts must not share a process with the
//! phones, or their processor time could not be told apart.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child as Process, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::sync::oneshot;

/// The first argument of a child that plays the server.
pub const SERVER: &str = "__server";
/// The first argument of a child that plays the plain forwarder.
pub const FORWARDER: &str = "__forwarder";

/// How long a child may take until it listens; a server opens a store first.
pub const READY_WITHIN: Duration = Duration::from_secs(20);
/// What is kept of a child's last words.
const LAST_LINES: usize = 40;
/// What is kept of one line; a backtrace of generics has longer ones.
const LINE_MAX: usize = 400;

/// A running child.
#[derive(Debug)]
pub struct Child {
    process: Process,
    listening: String,
    last_words: LastWords,
}

type LastWords = Arc<Mutex<VecDeque<String>>>;

impl Child {
    /// Starts a child and waits until it listens.
    ///
    /// # Errors
    ///
    /// It could not be started, ended, or said nothing in time; with its last words.
    pub async fn start(mut command: Command, within: Duration) -> anyhow::Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("child process not started")?;
        let stdout = process.stdout.take().expect("it was asked for");
        let stderr = process.stderr.take().expect("it was asked for");
        let last_words = LastWords::default();
        let (tell, told) = oneshot::channel();
        // Ends with the pipe, which ends with the process.
        std::thread::spawn(move || read_stdout(stdout, tell));
        let ear = std::thread::spawn({
            let last_words = last_words.clone();
            move || read_stderr(stderr, &last_words)
        });
        // From here on dropping kills the process.
        let mut child = Self { process, listening: String::new(), last_words };
        match tokio::time::timeout(within, told).await {
            Ok(Ok(listening)) => {
                child.listening = listening;
                Ok(child)
            }
            Ok(Err(_)) => {
                let status = child.process.wait().context("child process not awaited")?;
                // All of its last words are in once the pipe has ended.
                ear.join().map_err(|_| anyhow!("reading the child's errors panicked"))?;
                bail!("child process ended before it listened ({status}){}", child.last_words())
            }
            Err(_) => {
                bail!("child process did not listen within {within:?}{}", child.last_words())
            }
        }
    }

    /// A command that runs this program in another part.
    ///
    /// # Errors
    ///
    /// The program's own file cannot be found.
    pub fn part(part: &str) -> anyhow::Result<Command> {
        let program = std::env::current_exe().context("own program file unknown")?;
        let mut command = Command::new(program);
        command.arg(part);
        Ok(command)
    }

    /// Where it listens, as it said.
    #[must_use]
    pub fn listening(&self) -> &str {
        &self.listening
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.process.try_wait().ok().flatten()?;
        Some(format!("{status}{}", self.last_words()))
    }

    /// What it last wrote to its standard error, fit to follow a sentence.
    #[must_use]
    pub fn last_words(&self) -> String {
        let lines = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let text: Vec<&str> = lines.iter().map(String::as_str).collect();
        if text.is_empty() { String::new() } else { format!("; it wrote:\n{}", text.join("\n")) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only when it has ended already, and that is what is wanted.
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn read_stdout(stdout: ChildStdout, tell: oneshot::Sender<String>) {
    let mut tell = Some(tell);
    // Read to the end also after the word: a full pipe would stop the child.
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let Some(listening) = listening(&line) else { continue };
        if let Some(tell) = tell.take() {
            // Nobody listens any more when the deadline has passed.
            let _late = tell.send(listening);
        }
    }
}

fn read_stderr(stderr: ChildStderr, last_words: &LastWords) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let mut lines = last_words.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(line.chars().take(LINE_MAX).collect());
    }
}

/// The address in a child's line `{"listening":"…"}`.
fn listening(line: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    value["listening"].as_str().map(str::to_owned)
}

/// Ends this process when its standard input ends: a child whose parent was killed must not
/// stay behind. Called by every part of a child.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        let mut sink = [0; 64];
        let mut input = std::io::stdin();
        while matches!(input.read(&mut sink), Ok(1..)) {}
        std::process::exit(0);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is awaited: the child never speaks.
    const SOON: Duration = Duration::from_millis(50);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_child_is_ready_when_it_says_where_it_listens_and_dies_when_dropped() {
        let script = r#"echo starting; echo '{"listening":"http://127.0.0.1:9"}'; exec cat"#;
        let mut child = Child::start(shell(script), READY_WITHIN).await.expect("it listens");
        assert_eq!(child.listening(), "http://127.0.0.1:9");
        assert_eq!(child.ended(), None);
        let proc = format!("/proc/{}", child.pid());
        assert!(std::fs::exists(&proc).expect("it can be looked for"));
        drop(child);
        assert!(!std::fs::exists(&proc).expect("it can be looked for"));
    }

    #[tokio::test]
    async fn the_last_words_of_a_child_that_ends_are_in_the_error() {
        let script = "echo 'no such key' >&2; exit 3";
        let error =
            Child::start(shell(script), READY_WITHIN).await.expect_err("it ends").to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.ends_with("it wrote:\nno such key"), "{error}");
    }

    #[tokio::test]
    async fn a_child_that_stays_silent_is_given_up() {
        let error = Child::start(shell("exec cat"), SOON).await.expect_err("it is silent");
        assert!(error.to_string().contains("did not listen within 50ms"), "{error}");
    }
}

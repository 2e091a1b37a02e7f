//! A program that runs beside the stories and ends with them.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};

use anyhow::Context;

/// Killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it; what it prints goes into a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let out = File::create(log)?;
        let name = command.get_program().to_owned();
        let child = command
            .stdin(std::process::Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out)
            .spawn()
            .with_context(|| format!("{} does not start", name.display()))?;
        Ok(Self(child))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that is gone already has what it wants.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

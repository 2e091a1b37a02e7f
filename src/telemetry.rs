//! Logging: the only place a subscriber and a panic hook are installed.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// The library of the Model Context Protocol tells headers and messages, and whatever matters of
/// them is told by us.
const QUIET: &str = "rmcp=off";

/// Installs the log, on standard error, and a panic hook that tells the place and nothing else:
/// a panic's text may hold what a caller said, and a backtrace costs a live call milliseconds.
pub fn install(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = filter.add_directive(QUIET.parse().expect("a directive"));
    let colour = std::io::stderr().is_terminal();
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(std::io::stderr);
    // A second installation, in a process that has one, changes nothing.
    let _second = if log.json { logging.json().try_init() } else { logging.try_init() };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}

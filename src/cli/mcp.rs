//! `tandem mcp`: the tools of an agent on standard input and output, over a running server. Nothing
//! but the protocol is written to standard output.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use rmcp::service::ServiceExt as _;
use uuid::Uuid;

use super::client::{At, Client};
use crate::config::Log;
use crate::mcp::Face;
use crate::telemetry;

/// For a host's settings:
/// `{"command": "tandem", "args": ["mcp"], "env": {"TANDEM_SERVER": "…", "TANDEM_KEY": "…"}}`.
#[derive(Args, Clone, Debug)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) at: At,
}

pub(super) async fn run(client: anyhow::Result<Client>) -> anyhow::Result<ExitCode> {
    let client = client?;
    telemetry::install(&Log { filter: "warn".to_owned(), ..Log::default() });
    let face = Face::new(Arc::new(client), Uuid::new_v4().to_string());
    let served = face.serve(rmcp::transport::stdio()).await;
    let served = served.context("no host speaks the Model Context Protocol on standard input")?;
    served.waiting().await?;
    Ok(ExitCode::SUCCESS)
}

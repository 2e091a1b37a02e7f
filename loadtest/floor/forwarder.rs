//! The forwarder's process: for each phone a connection to the model's end, bytes copied both
//! ways. Reads nothing of what passes.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};

use crate::child;

/// As many as the server under test has on the machines where both are compared.
const WORKERS: usize = 2;

/// The part of a child that plays the forwarder to the model's end at `to`.
#[must_use]
pub fn body(to: Option<&str>) -> ExitCode {
    child::end_with_parent();
    match serve(to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn serve(to: Option<&str>) -> anyhow::Result<()> {
    let to: SocketAddr = to.context("no address to forward to")?.parse().context("no address")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .context("runtime not built")?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port")?;
        let address = listener.local_addr().context("no address")?;
        writeln!(std::io::stdout(), "{}", serde_json::json!({ "listening": address }))
            .context("nobody reads")?;
        loop {
            let (phone, _) = listener.accept().await.context("no more connections")?;
            tokio::spawn(forward(phone, to));
        }
    })
}

async fn forward(mut phone: TcpStream, to: SocketAddr) {
    let moved = async {
        let mut model = TcpStream::connect(to).await?;
        phone.set_nodelay(true)?;
        model.set_nodelay(true)?;
        tokio::io::copy_bidirectional(&mut phone, &mut model).await
    };
    // However it ended, both ends see it and say so; there is nobody to tell here.
    let _ended = moved.await;
}

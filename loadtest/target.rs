//! The bridge that is rung: our own server, started for the run, or somebody else's at an
//! address. Says where a phone has to connect.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cli::Carrier;
use crate::server::{Incoming, Server};

/// What is under test.
#[derive(Debug)]
pub(crate) enum Target {
    /// A server of ours.
    Own(Server),
    /// Another bridge.
    Other(Other),
}

/// A bridge that is not ours.
#[derive(Debug)]
pub(crate) struct Other {
    url: String,
    pid: Option<u32>,
    rung: AtomicU64,
}

impl Target {
    /// Another bridge at the address of its media socket.
    pub(crate) fn other(url: String, pid: Option<u32>) -> Self {
        Self::Other(Other { url, pid, rung: AtomicU64::new(0) })
    }

    /// Lets a call come in; says where its phone connects.
    pub(crate) async fn ring(&self, carrier: Carrier, line: usize) -> anyhow::Result<Incoming> {
        match self {
            Self::Own(server) => server.incoming(carrier, line).await,
            Self::Other(other) => {
                let n = other.rung.fetch_add(1, Ordering::Relaxed);
                Ok(Incoming {
                    call_id: format!("call-{n}"),
                    media_url: other.url.clone(),
                    // The shape of a call's name at Twilio; ACS takes any.
                    carrier_call: format!("CA{n:032x}"),
                    parameters: BTreeMap::new(),
                })
            }
        }
    }

    /// The process to be looked at, when there is one.
    pub(crate) fn pid(&self) -> Option<u32> {
        match self {
            Self::Own(server) => Some(server.pid()),
            Self::Other(other) => other.pid,
        }
    }

    /// Our own server.
    pub(crate) fn own(&self) -> Option<&Server> {
        match self {
            Self::Own(server) => Some(server),
            Self::Other(_) => None,
        }
    }
}

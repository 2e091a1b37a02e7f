//! The greeting of a far end that says only inside the socket who it is: reads that far, within
//! a deadline, and makes the line. Knows no vendor; what is its first word, the vendor's function
//! tells.

use std::future::poll_fn;
use std::time::Duration;

use tandem_actors::leg::Broken;
use tokio::io::{AsyncRead, AsyncWrite};

use super::coded::{Codec, Coded};
use super::{Message, Socket};

/// Messages up to the first word, itself included; vendors send one or two.
pub(crate) const MESSAGES: usize = 8;

/// Why a far end was not greeted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GreetError {
    /// The deadline passed.
    #[error("it did not say whose it is within the deadline")]
    TimedOut,
    /// Something else than we expect talks there.
    #[error("not who we expect: {0}")]
    Stranger(String),
    /// The socket ended.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl GreetError {
    /// Something else than we expect talks there, as this shows.
    pub fn stranger(shown: impl Into<String>) -> Self {
        Self::Stranger(shown.into())
    }
}

/// Reads until `first` makes something of a message, at most a few of them and for `deadline`.
///
/// `first` tells what the far end has said and how to talk with it, or nothing as long as it has
/// said neither.
///
/// # Errors
/// See [`GreetError`]; the socket is dropped.
pub async fn greet<S, C, Start>(
    mut socket: Socket<S>,
    deadline: Duration,
    first: impl Fn(&Message) -> Result<Option<(Start, C)>, GreetError>,
) -> Result<(Start, Coded<S, C>), GreetError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: Codec,
{
    let read = async {
        for _ in 0..MESSAGES {
            let message = poll_fn(|cx| socket.poll_message(cx)).await?;
            if let Some(said) = first(&message)? {
                return Ok(said);
            }
        }
        Err(GreetError::stranger("too much before its first word"))
    };
    let said = tokio::time::timeout(deadline, read).await;
    let (start, codec) = said.map_err(|_elapsed| GreetError::TimedOut)??;
    Ok((start, Coded::new(socket, codec)))
}

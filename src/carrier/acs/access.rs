//! How requests to ACS show who sends them: signed with the resource's key, or with a token of
//! Microsoft Entra.

use secrecy::SecretSlice;

/// What a request is authorized with.
#[derive(Clone)]
pub(super) enum Access {
    /// The resource's key, decoded.
    Key(SecretSlice<u8>),
    /// Who we are to Microsoft Entra.
    Identity(super::identity::Identity),
}

/// Why there is no token of Microsoft Entra. Never says a secret or a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Whoever gives tokens was not reached.
    #[error("Microsoft Entra is not reached: {0}")]
    NotReached(String),
    /// They cannot be had at the moment.
    #[error("Microsoft Entra answers {0}")]
    Failing(u16),
    /// We get none: who we say we are is wrong.
    #[error("Microsoft Entra refuses with {status}, {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its words: `invalid_client AADSTS7000215`.
        code: String,
    },
    /// The answer is no token.
    #[error("Microsoft Entra's answer is no token: {0}")]
    Strange(&'static str),
}

impl NoToken {
    /// Whether the same question may be answered in a moment.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::NotReached(_) | Self::Failing(_) => true,
            Self::Refused { .. } | Self::Strange(_) => false,
        }
    }
}

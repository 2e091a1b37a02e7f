//! To whom orders and calls belong.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name.
const CHARS: usize = 64;

/// To whom an order, a call or a key belongs. Accounts see nothing of each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account(Arc<str>);

/// The text names no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account is named by 1 to {CHARS} of a-z, 0-9, `-`, `_` and `.`")]
pub struct NoAccount;

impl Account {
    /// Whoever runs the server. Calls that ring here are theirs.
    #[must_use]
    pub fn house() -> Self {
        Self("house".into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Account {
    type Err = NoAccount;

    fn from_str(name: &str) -> Result<Self, NoAccount> {
        let fits = (1..=CHARS).contains(&name.len());
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        (fits && name.bytes().all(plain)).then(|| Self(name.into())).ok_or(NoAccount)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for name in ["house", "a", "team-7_b.c", &"x".repeat(64)] {
            assert_eq!(name.parse::<Account>().map(|account| account.to_string()), Ok(name.into()));
        }
        for name in ["", "House", "a b", "é", "a/b", "a\n", &"x".repeat(65)] {
            assert_eq!(name.parse::<Account>(), Err(NoAccount), "{name:?}");
        }
    }
}

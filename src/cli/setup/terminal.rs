//! Questions and answers on a terminal or a pipe, one line each. A wrong answer is told and asked
//! for again; an input that ends is an error.

use std::io::{self, BufRead, Write};

use secrecy::SecretString;

/// Whether what is typed can be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hiding {
    /// A terminal, whose echo is switched off for secrets.
    Terminal,
    /// A pipe, which echoes nothing.
    Piped,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// The input is at its end.
    #[error("the input ended at {0:?}; nothing was written")]
    Ended(String),
    /// The terminal failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What is wrong with an answer, or nothing.
pub(super) type Check = fn(&str) -> Result<(), String>;

pub(super) struct Terminal<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
    hiding: Hiding,
}

impl<'a> Terminal<'a> {
    pub(super) fn new(
        input: &'a mut dyn BufRead,
        output: &'a mut dyn Write,
        hiding: Hiding,
    ) -> Self {
        Self { input, output, hiding }
    }

    pub(super) fn say(&mut self, line: &str) -> Result<(), NoAnswer> {
        Ok(writeln!(self.output, "{line}")?)
    }

    /// An answer that passes the check; an empty one stands for `current`.
    pub(super) fn ask(
        &mut self,
        question: &str,
        current: &str,
        check: Check,
    ) -> Result<String, NoAnswer> {
        loop {
            match current {
                "" => write!(self.output, "{question}: ")?,
                current => write!(self.output, "{question} [{current}]: ")?,
            }
            let line = self.line(question)?;
            let answer = if line.is_empty() { current.to_owned() } else { line };
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(trouble) => self.say(&format!("  {trouble}"))?,
            }
        }
    }

    /// A secret that passes the check; it is neither shown nor repeated. Nothing for an empty
    /// answer, where `empty` says what that means.
    pub(super) fn secret(
        &mut self,
        question: &str,
        empty: Option<&str>,
        check: Check,
    ) -> Result<Option<SecretString>, NoAnswer> {
        loop {
            match empty {
                Some(meaning) => write!(self.output, "{question} (not shown; {meaning}): ")?,
                None => write!(self.output, "{question} (not shown): ")?,
            }
            self.output.flush()?;
            let answer = match self.hiding {
                Hiding::Terminal => rpassword::read_password()?.trim().to_owned(),
                Hiding::Piped => self.line(question)?,
            };
            if answer.is_empty() && empty.is_some() {
                return Ok(None);
            }
            match check(&answer) {
                Ok(()) => return Ok(Some(answer.into())),
                Err(trouble) => self.say(&format!("  {trouble}"))?,
            }
        }
    }

    /// Yes or no; an empty answer is the usual one.
    pub(super) fn agree(&mut self, question: &str, usual: bool) -> Result<bool, NoAnswer> {
        let check = |answer: &str| match answer {
            "y" | "yes" | "n" | "no" => Ok(()),
            _ => Err("answer yes or no".to_owned()),
        };
        let answer = self.ask(question, if usual { "yes" } else { "no" }, check)?;
        Ok(answer.starts_with('y'))
    }

    fn line(&mut self, question: &str) -> Result<String, NoAnswer> {
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(NoAnswer::Ended(question.to_owned()));
        }
        Ok(line.trim().to_owned())
    }
}

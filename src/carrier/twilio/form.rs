//! The forms Twilio posts and takes (`application/x-www-form-urlencoded`). Pure.

use std::fmt;

use form_urlencoded::{Serializer, parse};

/// A form: names and values in the order they came, repeated names included. Holds phone
/// numbers, so `Debug` shows names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body. Nothing in it is an error: what is not UTF-8 is replaced, as browsers do,
    /// and then no signature fits it.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        Self(parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of a field; nothing when it is missing, empty, or given twice with different
    /// values, for then it is not clear which one counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        let first = values.next().filter(|value| !value.is_empty())?;
        values.all(|value| value == first).then_some(first)
    }

    /// Every field.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The body.
    #[must_use]
    pub fn write(&self) -> String {
        Serializer::new(String::new()).extend_pairs(self.fields()).finish()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_says_two_things_says_nothing() {
        let form = Form::read(b"CallSid=CA00&To=%2B15550100&CallSid=CA01&Empty=&A=1&A=1");
        assert_eq!(form.get("To"), Some("+15550100"));
        assert_eq!(form.get("A"), Some("1"));
        for unclear in ["CallSid", "Empty", "Missing"] {
            assert_eq!(form.get(unclear), None);
        }
    }

    #[test]
    fn what_is_written_reads_as_it_was() {
        let form = Form::default().with("To", "+15550100").with("Twiml", "<Say>a & b</Say> ü");
        assert_eq!(Form::read(form.write().as_bytes()), form);
        assert!(!format!("{form:?}").contains("5550100"));
    }
}

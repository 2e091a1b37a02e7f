//! Reads JSON messages of a known shape in one pass and without copying: the audio path.
//! Whatever is not exactly as expected makes it give up; a real parser then decides.

use std::borrow::Cow;

use tandem_actors::audio::Payload;

use super::Utf8Bytes;

/// A place inside a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Scan<'a> {
    rest: &'a str,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A string without escapes.
    Text(&'a str),
    /// A number, `true`, `false` or `null`; not looked into.
    Bare,
}

impl<'a> Value<'a> {
    /// The string, if it is one.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bare => None,
        }
    }
}

impl<'a> Scan<'a> {
    /// Starts behind `prefix`.
    pub(crate) fn after(text: &'a str, prefix: &str) -> Option<Self> {
        Some(Self { rest: text.strip_prefix(prefix)? })
    }

    /// Steps over `expected`; whether it was there.
    pub(crate) fn eat(&mut self, expected: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(expected) else { return false };
        self.rest = rest;
        true
    }

    /// Whether the text is over.
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads `"key":value`.
    pub(crate) fn field(&mut self) -> Option<(&'a str, Value<'a>)> {
        let key = self.string()?;
        if !self.eat(":") {
            return None;
        }
        let value =
            if self.rest.starts_with('"') { Value::Text(self.string()?) } else { self.bare()? };
        Some((key, value))
    }

    /// Reads the fields of an object whose brace is behind us, its closing brace included.
    pub(crate) fn fields(&mut self, mut each: impl FnMut(&'a str, Value<'a>)) -> Option<()> {
        loop {
            let (key, value) = self.field()?;
            each(key, value);
            if self.eat("}") {
                return Some(());
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        let inside = self.rest.strip_prefix('"')?;
        // One look at 1,280 characters of audio; the standard library's search takes two, and
        // each several times as long.
        let end = memchr::memchr2(b'"', b'\\', inside.as_bytes())?;
        let (text, rest) = inside.split_at(end);
        if rest.starts_with('\\') {
            return None;
        }
        self.rest = &rest[1..];
        Some(text)
    }

    fn bare(&mut self) -> Option<Value<'a>> {
        let end = self.rest.find([',', '}'])?;
        let (bare, rest) = self.rest.split_at(end);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        if bare.is_empty() || !bare.bytes().all(plain) {
            return None;
        }
        self.rest = rest;
        Some(Value::Bare)
    }
}

/// Makes a payload of base64 text found inside `message`: a slice of it, not a copy, unless the
/// text had to be unescaped.
pub(crate) fn payload(message: &Utf8Bytes, base64: Cow<'_, str>) -> Option<Payload> {
    let whole: &bytes::Bytes = message.as_ref();
    Payload::from_base64(match base64 {
        Cow::Borrowed(slice) => whole.slice_ref(slice.as_bytes()),
        Cow::Owned(text) => text.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_object_is_read_field_by_field() {
        let text = r#"{"type":"x","n":-1.5e3,"ok":true,"none":null,"delta":"AAAA"}"#;
        let mut scan = Scan::after(text, r#"{"type":"x","#).unwrap();
        let mut seen = Vec::new();
        scan.fields(|key, value| seen.push((key, value))).unwrap();
        assert!(scan.is_at_end());
        let bare = ["n", "ok", "none"].map(|key| (key, Value::Bare));
        assert_eq!(seen[..3], bare);
        assert_eq!(seen[3], ("delta", Value::Text("AAAA")));
    }

    #[test]
    fn every_surprise_is_given_up() {
        for rest in [
            r#""a":"escaped \" quote"}"#,
            r#""a":"ends in backslash\"}"#,
            r#""a": "space"}"#,
            r#""a":{"nested":1}}"#,
            r#""a":[1]}"#,
            r#""a":1"#,
            r#""a":}"#,
            r#""a""#,
            "}",
            "",
        ] {
            let mut scan = Scan { rest };
            assert!(scan.fields(|_, _| {}).is_none(), "{rest} passed");
        }
    }
}

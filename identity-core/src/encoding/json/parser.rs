//! The grammar, one function per kind of value. The text is known to be UTF-8.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::{JsonError, limits};

pub(super) fn parse(text: &str, max_depth: usize) -> Result<Value, JsonError> {
    let mut parser = Parser::begin(text, max_depth);
    let value = parser.value(0)?;
    if parser.is_at_end() { Ok(value) } else { Err(JsonError::TrailingData { at: parser.at }) }
}

pub(super) struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    max_depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn begin(text: &'a str, max_depth: usize) -> Self {
        let mut parser = Self { text, bytes: text.as_bytes(), at: 0, max_depth };
        parser.skip_space();
        parser
    }

    /// Whether nothing but white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.at == self.text.len()
    }

    /// `depth` counts the arrays and objects around this value.
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'"') => self.text().map(|text| Value::String(text.into_owned())),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            Some(_) | None => Err(self.malformed()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.enter(depth)?;
        let mut members = Map::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.malformed());
            }
            let name = self.text()?.into_owned();
            self.colon()?;
            let value = self.value(depth + 1)?;
            if members.insert(name, value).is_some() {
                return Err(JsonError::DuplicateKey { at: self.at });
            }
            if members.len() > limits::JSON_MEMBERS {
                return Err(JsonError::TooManyMembers);
            }
            if !self.another(b'}')? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.enter(depth)?;
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if !self.another(b']')? {
                return Ok(Value::Array(elements));
            }
        }
    }

    pub(super) fn enter(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth >= self.max_depth {
            return Err(JsonError::TooDeep { limit: self.max_depth });
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Between a name and its value.
    pub(super) fn colon(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        if !self.take(b':') {
            return Err(self.malformed());
        }
        self.skip_space();
        Ok(())
    }

    /// After an element: a comma means another one, `end` means none.
    pub(super) fn another(&mut self, end: u8) -> Result<bool, JsonError> {
        self.skip_space();
        if self.take(end) {
            return Ok(false);
        }
        if !self.take(b',') {
            return Err(self.malformed());
        }
        self.skip_space();
        Ok(true)
    }

    /// A string, at its quote.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let plain = self.plain_run()?;
        if self.take(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut out = plain.to_owned();
        loop {
            // plain_run stops at a quote or a backslash only.
            if self.take(b'"') {
                return Ok(Cow::Owned(out));
            }
            self.at += 1;
            out.push(self.escape()?);
            out.push_str(self.plain_run()?);
        }
    }

    /// The characters up to the next quote or backslash.
    fn plain_run(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        self.at = start + plain_length(self.bytes.get(start..).unwrap_or_default());
        match self.peek() {
            Some(b'"' | b'\\') => self.text.get(start..self.at).ok_or(JsonError::Malformed { at: start }),
            Some(_) => Err(JsonError::ControlCharacter { at: self.at }),
            None => Err(self.malformed()),
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, JsonError> {
        let at = self.at;
        let letter = self.peek().ok_or(JsonError::Malformed { at })?;
        self.at += 1;
        match letter {
            b'"' => Ok('"'),
            b'\\' => Ok('\\'),
            b'/' => Ok('/'),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode_escape(at),
            _ => Err(JsonError::Malformed { at }),
        }
    }

    fn unicode_escape(&mut self, at: usize) -> Result<char, JsonError> {
        let first = self.four_hex()?;
        if let Some(plain) = char::from_u32(first) {
            return Ok(plain);
        }
        // A surrogate: only a high one directly followed by an escaped low one is a character.
        if first >= 0xdc00 || !(self.take(b'\\') && self.take(b'u')) {
            return Err(JsonError::LoneSurrogate { at });
        }
        let second = self.four_hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(JsonError::LoneSurrogate { at });
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(JsonError::LoneSurrogate { at })
    }

    fn four_hex(&mut self) -> Result<u32, JsonError> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16)).ok_or_else(|| self.malformed())?;
            number = number * 16 + digit;
            self.at += 1;
        }
        Ok(number)
    }

    pub(super) fn number(&mut self) -> Result<Number, JsonError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut integer = true;
        if self.take(b'.') {
            integer = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            integer = false;
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        number_of(text, integer).ok_or(JsonError::NumberOutOfRange { at: start })
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.malformed()) } else { Ok(()) }
    }

    pub(super) fn literal<T>(&mut self, word: &str, value: T) -> Result<T, JsonError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.malformed());
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    const fn malformed(&self) -> JsonError {
        JsonError::Malformed { at: self.at }
    }
}

/// How many bytes come before the next quote, backslash or control character. Sixteen at a time, since a machine
/// looks at so many at once: most of what is read is long plain strings.
fn plain_length(text: &[u8]) -> usize {
    let special = |byte: u8| (byte == b'"') | (byte == b'\\') | (byte < 0x20);
    let is_plain = |chunk: &&[u8; 16]| !chunk.iter().fold(false, |found, byte| found | special(*byte));
    let whole = 16 * text.as_chunks().0.iter().take_while(is_plain).count();
    let rest = text.get(whole..).unwrap_or_default();
    whole + rest.iter().position(|byte| special(*byte)).unwrap_or(rest.len())
}

/// `-0` stays a float, as `serde_json` has it: as an integer it would lose its sign.
fn number_of(text: &str, integer: bool) -> Option<Number> {
    if text.len() > limits::JSON_NUMBER {
        return None;
    }
    if !integer || text == "-0" {
        return Number::from_f64(text.parse().ok()?);
    }
    match text.parse::<u64>() {
        Ok(number) => Some(number.into()),
        Err(_) => text.parse::<i64>().ok().map(Number::from),
    }
}

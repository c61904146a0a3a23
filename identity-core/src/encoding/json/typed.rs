//! Reading straight into a type: the same grammar, and no tree of values in between, which costs more than the text.
//!
//! What comes of it is what the type would make of the tree. Whatever does not fit ends it without a reason; the tree then
//! tells which rule is broken, before it says anything of the type.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::parser::Parser;
use super::{JsonError, limits};

/// The value, if everything fits.
pub(super) fn read<T: DeserializeOwned>(text: &str, max_depth: usize) -> Option<T> {
    let mut parser = Parser::begin(text, max_depth);
    let value = T::deserialize(Reader { parser: &mut parser, depth: 0 }).ok()?;
    parser.is_at_end().then_some(value)
}

/// Something does not fit.
#[derive(Debug)]
struct Misfit;

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something does not fit")
    }
}

impl std::error::Error for Misfit {}

impl Error for Misfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl From<JsonError> for Misfit {
    fn from(_: JsonError) -> Self {
        Self
    }
}

/// One value. `depth` counts the arrays and objects around it.
struct Reader<'p, 'a> {
    parser: &'p mut Parser<'a>,
    depth: usize,
}

impl<'a> Reader<'_, 'a> {
    fn object<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.parser.enter(self.depth)?;
        let (parser, depth) = (self.parser, self.depth + 1);
        let mut members =
            Members { inside: Inside { parser, depth, end: b'}', begun: false, ended: false }, names: vec![] };
        let value = visitor.visit_map(&mut members)?;
        members.inside.is_used_up(value)
    }

    fn array<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.parser.enter(self.depth)?;
        let (parser, depth) = (self.parser, self.depth + 1);
        let mut elements = Inside { parser, depth, end: b']', begun: false, ended: false };
        let value = visitor.visit_seq(&mut elements)?;
        elements.is_used_up(value)
    }
}

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.parser.peek() {
            Some(b'"') => match self.parser.text()? {
                Cow::Borrowed(text) => visitor.visit_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            Some(b'{') => self.object(visitor),
            Some(b'[') => self.array(visitor),
            Some(b'-' | b'0'..=b'9') => give(&self.parser.number()?, visitor),
            Some(b't') => visitor.visit_bool(self.parser.literal("true", true)?),
            Some(b'f') => visitor.visit_bool(self.parser.literal("false", false)?),
            Some(b'n') => {
                self.parser.literal("null", ())?;
                visitor.visit_unit()
            }
            Some(_) | None => Err(Misfit),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.parser.peek() == Some(b'n') {
            self.parser.literal("null", ())?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    /// Variants without content, which are texts. Others go through the tree.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.parser.peek() {
            Some(b'"') => visitor.visit_enum(StrDeserializer::new(&self.parser.text()?)),
            Some(_) | None => Err(Misfit),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

fn give<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Misfit> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), ..) => visitor.visit_u64(number),
        (None, Some(number), _) => visitor.visit_i64(number),
        (None, None, Some(number)) => visitor.visit_f64(number),
        (None, None, None) => Err(Misfit),
    }
}

/// An array or object that is being read.
struct Inside<'p, 'a> {
    parser: &'p mut Parser<'a>,
    depth: usize,
    end: u8,
    begun: bool,
    ended: bool,
}

impl Inside<'_, '_> {
    /// Whether something follows.
    fn goes_on(&mut self) -> Result<bool, Misfit> {
        if !self.ended {
            self.ended = if self.begun { !self.parser.another(self.end)? } else { self.parser.take(self.end) };
            self.begun = true;
        }
        Ok(!self.ended)
    }

    fn value<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        seed.deserialize(Reader { parser: self.parser, depth: self.depth })
    }

    /// A type that leaves something unread does not fit.
    fn is_used_up<T>(&self, value: T) -> Result<T, Misfit> {
        if self.ended { Ok(value) } else { Err(Misfit) }
    }
}

impl<'de> SeqAccess<'de> for &mut Inside<'_, '_> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        if self.goes_on()? { self.value(seed).map(Some) } else { Ok(None) }
    }
}

/// The members of an object.
struct Members<'p, 'a> {
    inside: Inside<'p, 'a>,
    /// Names so far, in order.
    names: Vec<Cow<'a, str>>,
}

impl<'de> MapAccess<'de> for &mut Members<'_, '_> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        if !self.inside.goes_on()? {
            return Ok(None);
        }
        let parser = &mut self.inside.parser;
        if parser.peek() != Some(b'"') || self.names.len() == limits::JSON_MEMBERS {
            return Err(Misfit);
        }
        let name = parser.text()?;
        parser.colon()?;
        let Err(place) = self.names.binary_search(&name) else { return Err(Misfit) };
        let key = seed.deserialize(StrDeserializer::<Misfit>::new(&name))?;
        self.names.insert(place, name);
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        self.inside.value(seed)
    }
}

//! Claims path pointers: the one way in which the whole project names claims.
//!
//! OpenID4VP 1.0 §7.1 and SD-JWT VC (Claim Path) define the same pointer: a non-empty JSON array of strings
//! (a member), non-negative integers (an array element) and `null` (every array element). Integers count the
//! array *as issued*: an element that stays concealed keeps its place.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::encoding::limits;

/// One step of a [`ClaimPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// The member of an object with this name.
    Name(String),
    /// The element of an array at this position, counted from 0 as issued.
    Index(usize),
    /// Every element of an array.
    Every,
}

/// A claims path pointer: never empty, never deeper than [`limits::CLAIM_DEPTH`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimPath(Vec<Segment>);

/// Why a path is none, or cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The array has no segment, or more than [`limits::CLAIM_DEPTH`].
    #[error("a claims path is empty or too long")]
    Length,
    /// A name was looked up in something that is not an object, or an index in something that is not an array.
    #[error("the claims path does not fit the shape of the claims")]
    Shape,
}

impl ClaimPath {
    /// A path from its segments.
    ///
    /// # Errors
    /// [`PathError::Length`] for none or too many.
    pub fn new(segments: Vec<Segment>) -> Result<Self, PathError> {
        if segments.is_empty() || segments.len() > limits::CLAIM_DEPTH {
            Err(PathError::Length)
        } else {
            Ok(Self(segments))
        }
    }

    /// The path of the top-level claim `name`.
    pub fn top(name: impl Into<String>) -> Self {
        Self(vec![Segment::Name(name.into())])
    }

    /// This path, one member deeper.
    #[must_use]
    pub fn member(mut self, name: impl Into<String>) -> Self {
        self.0.push(Segment::Name(name.into()));
        self
    }

    /// This path, one array element deeper.
    #[must_use]
    pub fn element(mut self, index: usize) -> Self {
        self.0.push(Segment::Index(index));
        self
    }

    /// This path, and every element of the array there.
    #[must_use]
    pub fn every(mut self) -> Self {
        self.0.push(Segment::Every);
        self
    }

    /// The names that lead it: whatever an array holds belongs to the array.
    #[must_use]
    pub fn leading_names(&self) -> Vec<String> {
        let name = |segment: &Segment| match segment {
            Segment::Name(name) => Some(name.clone()),
            Segment::Index(_) | Segment::Every => None,
        };
        self.0.iter().map_while(name).collect()
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The path of what the claim stands in; `None` at the top level.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self.0.split_last() {
            Some((_, around)) if !around.is_empty() => Some(Self(around.to_vec())),
            _ => None,
        }
    }

    /// The name of the top-level claim that the path leads into; `None` if it starts with an index.
    pub fn top_name(&self) -> Option<&str> {
        match self.0.first() {
            Some(Segment::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether `self` selects `other` or something around it: `["a"]` covers `["a"]` and `["a","b"]`, and
    /// `["a",null]` covers `["a",3]`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let same = |(mine, theirs): (&Segment, &Segment)| {
            mine == theirs || matches!((mine, theirs), (Segment::Every, Segment::Index(_)))
        };
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(same)
    }

    /// The claims that the path selects in complete claims (nothing concealed). Empty if a name or index is absent.
    ///
    /// # Errors
    /// [`PathError::Shape`] where the specification says "abort processing".
    pub fn select<'v>(&self, claims: &'v Map<String, Value>) -> Result<Vec<&'v Value>, PathError> {
        self.select_around(claims, &[])
    }

    /// As [`Self::select`], in arrays from which the elements `omitted` are gone.
    pub(crate) fn select_around<'v>(
        &self,
        claims: &'v Map<String, Value>,
        omitted: &[Omitted],
    ) -> Result<Vec<&'v Value>, PathError> {
        let mut found = Vec::new();
        self.walk(claims, omitted, |_, value| found.push(value))?;
        Ok(found)
    }

    /// The selected claims, and where each stands: without wildcards, positions as issued.
    pub(crate) fn locate<'v>(
        &self,
        claims: &'v Map<String, Value>,
        omitted: &[Omitted],
    ) -> Result<Vec<(Self, &'v Value)>, PathError> {
        let mut places = Vec::new();
        self.walk(claims, omitted, |at, value| places.push((Self(at.to_vec()), value)))?;
        Ok(places)
    }

    fn walk<'v>(
        &self,
        claims: &'v Map<String, Value>,
        omitted: &[Omitted],
        found: impl FnMut(&[Segment], &'v Value),
    ) -> Result<(), PathError> {
        let Some((Segment::Name(first), rest)) = self.0.split_first() else { return Err(PathError::Shape) };
        let Some(value) = claims.get(first) else { return Ok(()) };
        Walk { omitted, at: vec![Segment::Name(first.clone())], found }.follow(value, rest)
    }
}

/// An array element that stayed concealed, or is a decoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Omitted {
    /// The array, by its path as issued.
    pub(crate) array: Vec<Segment>,
    /// The element's position as issued.
    pub(crate) index: usize,
}

struct Walk<'o, F> {
    omitted: &'o [Omitted],
    /// Where we stand, positions as issued.
    at: Vec<Segment>,
    found: F,
}

impl<F> Walk<'_, F> {
    fn follow<'v>(&mut self, value: &'v Value, rest: &[Segment]) -> Result<(), PathError>
    where
        F: FnMut(&[Segment], &'v Value),
    {
        let Some((segment, rest)) = rest.split_first() else {
            (self.found)(&self.at, value);
            return Ok(());
        };
        match (segment, value) {
            (Segment::Name(name), Value::Object(map)) => {
                map.get(name).map_or(Ok(()), |member| self.enter(segment.clone(), member, rest))
            }
            (Segment::Index(wanted), Value::Array(array)) => {
                let element = self.issued_positions().zip(array).find(|(index, _)| index == wanted);
                element.map_or(Ok(()), |(_, element)| self.enter(segment.clone(), element, rest))
            }
            (Segment::Every, Value::Array(array)) => {
                let positions: Vec<usize> = self.issued_positions().take(array.len()).collect();
                positions
                    .into_iter()
                    .zip(array)
                    .try_for_each(|(index, element)| self.enter(Segment::Index(index), element, rest))
            }
            _ => Err(PathError::Shape),
        }
    }

    fn enter<'v>(&mut self, segment: Segment, value: &'v Value, rest: &[Segment]) -> Result<(), PathError>
    where
        F: FnMut(&[Segment], &'v Value),
    {
        self.at.push(segment);
        let followed = self.follow(value, rest);
        self.at.pop();
        followed
    }

    /// The positions as issued of the elements that are left in the array where we stand.
    fn issued_positions(&self) -> impl Iterator<Item = usize> {
        (0..).filter(|index| !self.omitted.iter().any(|gone| gone.index == *index && gone.array == self.at))
    }
}

/// For people: `address.city`, `degrees[*].type`, `nationalities[1]`.
impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Name(name) if position == 0 => f.write_str(name)?,
                Segment::Name(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

impl Serialize for ClaimPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(Some(self.0.len()))?;
        for segment in &self.0 {
            match segment {
                Segment::Name(name) => array.serialize_element(name)?,
                Segment::Index(index) => array.serialize_element(index)?,
                Segment::Every => array.serialize_element(&())?,
            }
        }
        array.end()
    }
}

impl<'de> Deserialize<'de> for ClaimPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;
        impl<'de> Visitor<'de> for Array {
            type Value = ClaimPath;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a claims path pointer")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<ClaimPath, A::Error> {
                let mut segments = Vec::new();
                while let Some(segment) = array.next_element::<Segment>()? {
                    segments.push(segment);
                    if segments.len() > limits::CLAIM_DEPTH {
                        break;
                    }
                }
                ClaimPath::new(segments).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_seq(Array)
    }
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl Visitor<'_> for One {
            type Value = Segment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a non-negative integer or null")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Segment, E> {
                Ok(Segment::Name(name.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, index: u64) -> Result<Segment, E> {
                usize::try_from(index).map(Segment::Index).map_err(E::custom)
            }

            fn visit_unit<E: de::Error>(self) -> Result<Segment, E> {
                Ok(Segment::Every)
            }
        }
        deserializer.deserialize_any(One)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(value: Value) -> ClaimPath {
        serde_json::from_value(value).unwrap()
    }

    /// The example of OpenID4VP 1.0 §7.3.
    fn example() -> Map<String, Value> {
        let claims = json!({
            "name": "Arthur Dent",
            "address": {"street_address": "42 Market Street", "locality": "Milliways"},
            "degrees": [{"type": "Bachelor of Science"}, {"type": "Master of Science"}],
            "nationalities": ["British", "Betelgeusian"],
        });
        claims.as_object().unwrap().clone()
    }

    #[test]
    fn selects_as_the_specification_shows() {
        let claims = example();
        for (pointer, expected) in [
            (json!(["name"]), json!(["Arthur Dent"])),
            (json!(["address", "street_address"]), json!(["42 Market Street"])),
            (json!(["degrees", null, "type"]), json!(["Bachelor of Science", "Master of Science"])),
            (json!(["nationalities", 1]), json!(["Betelgeusian"])),
            (json!(["nationalities", 2]), json!([])),
            (json!(["absent"]), json!([])),
        ] {
            let selected: Vec<Value> = path(pointer).select(&claims).unwrap().into_iter().cloned().collect();
            assert_eq!(Value::Array(selected), expected);
        }
    }

    #[test]
    fn aborts_where_the_shape_does_not_fit() {
        for pointer in [json!(["name", "first"]), json!(["name", 0]), json!(["address", null]), json!([0])] {
            assert_eq!(path(pointer).select(&example()), Err(PathError::Shape));
        }
    }

    #[test]
    fn refuses_what_is_no_pointer() {
        let deep = vec![json!("a"); limits::CLAIM_DEPTH + 1];
        for pointer in [json!([]), json!(["a", -1]), json!(["a", 1.5]), json!(["a", true]), json!("a"), json!(deep)] {
            assert!(serde_json::from_value::<ClaimPath>(pointer).is_err());
        }
    }

    #[test]
    fn covers_what_lies_within() {
        assert!(path(json!(["a"])).covers(&path(json!(["a", "b"]))));
        assert!(path(json!(["a", null])).covers(&path(json!(["a", 3, "b"]))));
        assert!(!path(json!(["a", "b"])).covers(&path(json!(["a"]))));
        assert!(!path(json!(["a", null])).covers(&path(json!(["a", "b"]))));
    }

    #[test]
    fn reads_well_and_travels_unchanged() {
        let pointer = path(json!(["degrees", null, "type", 0]));
        assert_eq!(pointer.to_string(), "degrees[*].type[0]");
        assert_eq!(serde_json::to_value(&pointer).unwrap(), json!(["degrees", null, "type", 0]));
    }
}

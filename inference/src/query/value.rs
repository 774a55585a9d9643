//! A query file before it is understood: a small tree that YAML and JSON both become.
//!
//! The typed reading ([`super::read`]) walks this tree itself instead of deriving it, because only then can every error
//! say the place in the file as a person would (`sequences[2].ligand.smiles`) and what to do about it. The tree refuses
//! what the two formats would let through silently: a key given twice, nesting without end, aliases that unfold into
//! gigabytes.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// Nesting that no query needs.
const MAX_DEPTH: usize = 24;
/// Nodes of a query at most; a query of ten thousand ligands has a hundred thousand.
const MAX_NODES: usize = 1_000_000;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    /// In file order, keys unique.
    Map(Vec<(String, Self)>),
}

impl Value {
    /// Reads YAML.
    pub(super) fn from_yaml(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_events: 2 * MAX_NODES,
                max_nodes: MAX_NODES,
                max_depth: MAX_DEPTH,
                max_aliases: 1_000,
                max_anchors: 1_000,
                max_documents: 1,
                max_merge_keys: 100,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: 100_000,
                max_replay_stack_depth: 8,
            },
            // `NO` is a chain id or a ligand (nitric oxide), not a truth value; `017` is a component, not fifteen.
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
            with_snippet: false,
        };
        serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
            Seed { depth: 0, nodes: &Cell::new(0) }.deserialize(deserializer)
        })
        .map_err(|error| error.to_string())
    }

    /// Reads JSON.
    pub(super) fn from_json(text: &str) -> Result<Self, String> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let nodes = Cell::new(0);
        let value =
            Seed { depth: 0, nodes: &nodes }.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
        deserializer.end().map_err(|error| error.to_string())?;
        Ok(value)
    }

    /// The node's kind as an error names it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing (null)",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    /// A number printed as short as its single precision allows.
    pub(super) fn from_f32(value: f32) -> Self {
        Self::Float(value.to_string().parse().unwrap_or_else(|_| f64::from(value)))
    }
}

/// Reads one node, counting depth and nodes.
#[derive(Clone, Copy)]
struct Seed<'a> {
    depth: usize,
    nodes: &'a Cell<usize>,
}

impl Seed<'_> {
    const fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.nodes.set(self.nodes.get() + 1);
        if self.nodes.get() > MAX_NODES {
            return Err(D::Error::custom("there are too many fields for a query"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text, a number, a list or a mapping")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        if self.depth >= MAX_DEPTH {
            return Err(A::Error::custom("lists and mappings are nested too deeply for a query"));
        }
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self.deeper())? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        if self.depth >= MAX_DEPTH {
            return Err(A::Error::custom("lists and mappings are nested too deeply for a query"));
        }
        let mut map = Vec::new();
        let mut keys = std::collections::HashSet::new();
        while let Some(key) = access.next_key_seed(self.deeper())? {
            let key = match key {
                Value::Text(text) => text,
                // `modifications: {8: SEP}`
                Value::Integer(number) => number.to_string(),
                other => return Err(A::Error::custom(format!("a field name must be text, not {}", other.kind()))),
            };
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("the field `{key}` is given twice")));
            }
            map.push((key, access.next_value_seed(self.deeper())?));
        }
        Ok(Value::Map(map))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => {
                let mut sequence = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    sequence.serialize_element(value)?;
                }
                sequence.end()
            }
            Self::Map(map) => {
                let mut mapping = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    mapping.serialize_entry(key, value)?;
                }
                mapping.end()
            }
        }
    }
}

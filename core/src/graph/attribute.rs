//! Attributes of nodes, and typed access to them with errors that name the attribute.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{Graph, ValueType};
use crate::host::{HostTensor, SparseTensor};

/// The value of one attribute. Equal floats are those with equal bits, so that an attribute with a NaN (an imputer's missing value) equals itself.
#[derive(Debug, Clone)]
pub enum Attribute {
    Float(f32),
    Int(i64),
    /// Bytes rather than text: ONNX does not promise UTF-8.
    String(Bytes),
    Tensor(HostTensor),
    /// Shared, so that a copy of the graph around it costs little.
    Graph(Arc<Graph>),
    Type(ValueType),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Strings(Vec<Bytes>),
    Tensors(Vec<HostTensor>),
    Graphs(Vec<Arc<Graph>>),
    Types(Vec<ValueType>),
    /// Inside a function body: the value comes from the call site's attribute of this name.
    Reference {
        name: String,
        attribute_type: i32,
    },
    Sparse {
        tensor: SparseTensor,
        /// The encoded attribute, as it is saved.
        message: Bytes,
    },
    /// Kept for saving, not looked at (lists of sparse tensors): the encoded message.
    Opaque {
        attribute_type: i32,
        message: Bytes,
    },
}

impl PartialEq for Attribute {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Floats(a), Self::Floats(b)) => a.iter().map(|value| value.to_bits()).eq(b.iter().map(|value| value.to_bits())),
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Ints(a), Self::Ints(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Strings(a), Self::Strings(b)) => a == b,
            (Self::Tensor(a), Self::Tensor(b)) => a == b,
            (Self::Tensors(a), Self::Tensors(b)) => a == b,
            (Self::Graph(a), Self::Graph(b)) => a == b,
            (Self::Graphs(a), Self::Graphs(b)) => a == b,
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Types(a), Self::Types(b)) => a == b,
            (Self::Reference { name: a, attribute_type: a_type }, Self::Reference { name: b, attribute_type: b_type }) => a == b && a_type == b_type,
            (Self::Sparse { tensor: a, message: a_message }, Self::Sparse { tensor: b, message: b_message }) => a == b && a_message == b_message,
            (Self::Opaque { attribute_type: a_type, message: a }, Self::Opaque { attribute_type: b_type, message: b }) => a_type == b_type && a == b,
            _ => false,
        }
    }
}

impl Attribute {
    /// The graphs that the attribute holds.
    pub fn subgraphs(&self) -> &[Arc<Graph>] {
        match self {
            Self::Graph(graph) => std::slice::from_ref(graph),
            Self::Graphs(graphs) => graphs,
            _ => &[],
        }
    }

    pub fn subgraphs_mut(&mut self) -> &mut [Arc<Graph>] {
        match self {
            Self::Graph(graph) => std::slice::from_mut(graph),
            Self::Graphs(graphs) => graphs,
            _ => &mut [],
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "a float",
            Self::Int(_) => "an int",
            Self::String(_) => "a string",
            Self::Tensor(_) => "a tensor",
            Self::Graph(_) => "a graph",
            Self::Type(_) => "a type",
            Self::Floats(_) => "floats",
            Self::Ints(_) => "ints",
            Self::Strings(_) => "strings",
            Self::Tensors(_) => "tensors",
            Self::Graphs(_) => "graphs",
            Self::Types(_) => "types",
            Self::Reference { .. } => "a reference to a function's attribute",
            Self::Sparse { .. } => "a sparse tensor",
            Self::Opaque { .. } => "sparse tensors",
        }
    }
}

/// The attributes of a node, sorted by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attributes(pub BTreeMap<String, Attribute>);

/// An attribute is missing or is not what the operator takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    #[error("attribute '{name}' is missing; the operator needs it")]
    Missing { name: String },
    #[error("attribute '{name}' should be {expected}, but is {found}")]
    WrongKind { name: String, expected: &'static str, found: &'static str },
    #[error("attribute '{name}' is not valid UTF-8 text")]
    NotText { name: String },
}

macro_rules! typed_access {
    ($(#[$doc:meta])* $get:ident, $require:ident, $variant:ident, $expected:literal, $out:ty, |$v:ident| $read:expr) => {
        $(#[$doc])*
        pub fn $get(&self, name: &str) -> Result<Option<$out>, AttributeError> {
            match self.0.get(name) {
                None => Ok(None),
                Some(Attribute::$variant($v)) => Ok(Some($read)),
                Some(other) => Err(AttributeError::WrongKind { name: name.to_owned(), expected: $expected, found: other.kind() }),
            }
        }

        pub fn $require(&self, name: &str) -> Result<$out, AttributeError> {
            self.$get(name)?.ok_or_else(|| AttributeError::Missing { name: name.to_owned() })
        }
    };
}

impl Attributes {
    typed_access!(/// `Ok(None)` where the attribute is absent; an error where it has another type.
        float, require_float, Float, "a float", f32, |v| *v);
    typed_access!(int, require_int, Int, "an int", i64, |v| *v);
    typed_access!(floats, require_floats, Floats, "floats", &[f32], |v| v);
    typed_access!(ints, require_ints, Ints, "ints", &[i64], |v| v);
    typed_access!(tensor, require_tensor, Tensor, "a tensor", &HostTensor, |v| v);
    typed_access!(graph, require_graph, Graph, "a graph", &Graph, |v| v);
    typed_access!(bytes, require_bytes, String, "a string", &Bytes, |v| v);
    typed_access!(byte_strings, require_byte_strings, Strings, "strings", &[Bytes], |v| v);

    /// A sparse tensor.
    pub fn sparse_tensor(&self, name: &str) -> Result<Option<&SparseTensor>, AttributeError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Attribute::Sparse { tensor, .. }) => Ok(Some(tensor)),
            Some(other) => Err(AttributeError::WrongKind { name: name.to_owned(), expected: "a sparse tensor", found: other.kind() }),
        }
    }

    /// A text attribute.
    pub fn text(&self, name: &str) -> Result<Option<&str>, AttributeError> {
        self.bytes(name)?.map(|bytes| utf8(name, bytes)).transpose()
    }

    pub fn require_text(&self, name: &str) -> Result<&str, AttributeError> {
        self.text(name)?.ok_or_else(|| AttributeError::Missing { name: name.to_owned() })
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, AttributeError> {
        self.byte_strings(name)?.map(|list| list.iter().map(|bytes| utf8(name, bytes)).collect()).transpose()
    }

    pub fn require_texts(&self, name: &str) -> Result<Vec<&str>, AttributeError> {
        self.texts(name)?.ok_or_else(|| AttributeError::Missing { name: name.to_owned() })
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

fn utf8<'a>(name: &str, bytes: &'a Bytes) -> Result<&'a str, AttributeError> {
    std::str::from_utf8(bytes).map_err(|_| AttributeError::NotText { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_equals_itself_even_with_a_nan() {
        let attribute = Attribute::Floats(vec![1.0, f32::NAN]);
        assert_eq!(attribute, attribute.clone());
        assert_ne!(attribute, Attribute::Floats(vec![1.0]));
        assert_ne!(Attribute::Float(0.0), Attribute::Float(-0.0));
    }
}

//! Types of values: tensors with symbolic shapes, sequences, maps, optionals.

use std::fmt;

use crate::host::ElementType;

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueType {
    Tensor { element_type: ElementType, shape: SymbolicShape },
    SparseTensor { element_type: ElementType, shape: SymbolicShape },
    Sequence(Box<ValueType>),
    Map { key: ElementType, value: Box<ValueType> },
    Optional(Box<ValueType>),
}

impl ValueType {
    pub fn tensor(element_type: ElementType, shape: impl Into<SymbolicShape>) -> Self {
        Self::Tensor { element_type, shape: shape.into() }
    }

    /// Element type and shape of a dense tensor type.
    pub fn as_tensor(&self) -> Option<(ElementType, &SymbolicShape)> {
        match self {
            Self::Tensor { element_type, shape } => Some((*element_type, shape)),
            _ => None,
        }
    }
}

impl ValueType {
    /// The type that covers both: what is known of either value is known of it too. `None` where no type does.
    pub fn join(self, other: &Self) -> Option<Self> {
        let joined = match (self, other) {
            (Self::Tensor { element_type, shape }, Self::Tensor { element_type: other_type, shape: other_shape }) if element_type == *other_type => {
                Self::Tensor { element_type, shape: shape.join(other_shape) }
            }
            (Self::Sequence(inner), Self::Sequence(other)) => Self::Sequence(Box::new(inner.join(other)?)),
            (Self::Optional(inner), Self::Optional(other)) => Self::Optional(Box::new(inner.join(other)?)),
            (this, other) if this == *other => this,
            _ => return None,
        };
        Some(joined)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tensor { element_type, shape } => write!(f, "{element_type}{shape}"),
            Self::SparseTensor { element_type, shape } => write!(f, "sparse {element_type}{shape}"),
            Self::Sequence(inner) => write!(f, "sequence({inner})"),
            Self::Map { key, value } => write!(f, "map({key}, {value})"),
            Self::Optional(inner) => write!(f, "optional({inner})"),
        }
    }
}

/// A shape whose rank, or some of whose dimensions, may be unknown until run time. `None` = rank unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SymbolicShape(pub Option<Vec<Dimension>>);

impl SymbolicShape {
    pub fn unknown() -> Self {
        Self(None)
    }

    pub fn dims(&self) -> Option<&[Dimension]> {
        self.0.as_deref()
    }

    pub fn rank(&self) -> Option<usize> {
        self.0.as_ref().map(Vec::len)
    }

    /// The shape that covers both: dimensions that differ are unknown, and so is the rank if the ranks differ.
    pub fn join(self, other: &Self) -> Self {
        match (self.0, &other.0) {
            (Some(mut dims), Some(other)) if dims.len() == other.len() => {
                for (dim, _) in dims.iter_mut().zip(other).filter(|(dim, other)| dim != other) {
                    *dim = Dimension::Unknown;
                }
                Self(Some(dims))
            }
            _ => Self::unknown(),
        }
    }

    /// The shape in numbers, if every dimension is known.
    pub fn as_known(&self) -> Option<Vec<usize>> {
        self.dims()?.iter().map(Dimension::known).collect()
    }
}

impl From<Vec<Dimension>> for SymbolicShape {
    fn from(dims: Vec<Dimension>) -> Self {
        Self(Some(dims))
    }
}

impl From<&[usize]> for SymbolicShape {
    fn from(dims: &[usize]) -> Self {
        Self(Some(dims.iter().map(|&dim| Dimension::Known(dim)).collect()))
    }
}

impl fmt::Display for SymbolicShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(dims) = self.dims() else { return f.write_str("[…]") };
        f.write_str("[")?;
        for (index, dim) in dims.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{dim}")?;
        }
        f.write_str("]")
    }
}

/// One dimension of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dimension {
    Known(usize),
    /// A name from the model (`batch`), or an expression that inference built from names (`(seq + 2)`).
    Symbol(String),
    Unknown,
}

impl Dimension {
    pub fn known(&self) -> Option<usize> {
        match self {
            Self::Known(dim) => Some(*dim),
            _ => None,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(dim) => write!(f, "{dim}"),
            Self::Symbol(name) => f.write_str(name),
            Self::Unknown => f.write_str("?"),
        }
    }
}

//! Operators on strings. They run in host memory.

use compact_str::CompactString;
use smallvec::smallvec;

use super::broadcast::{Walk, broadcast_symbolic};
use super::operator::{Outputs, single};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Registration, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Bool, ElementType};
use crate::tensor::{Tensor, Value};

mod normalizer;
pub(super) mod re2;
mod tf_idf;

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
///
/// TfIdfVectorizer: 9. StringNormalizer: 10. RegexFullMatch, StringConcat, StringSplit: 20.
pub const OPERATORS: &[Registration] = &[
    register("RegexFullMatch", 20, RegexFullMatch::build),
    register("StringConcat", 20, |_| Ok(Box::new(StringConcat))),
    register("StringNormalizer", 10, normalizer::build),
    register("StringSplit", 20, StringSplit::build),
    register("TfIdfVectorizer", 9, tf_idf::build),
];

const fn register(op_type: &'static str, first: i64, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(first), build }
}

/// Takes an input out that must be a tensor of strings.
fn take_strings(inputs: &mut Inputs, index: usize, name: &'static str) -> Result<Tensor, OpError> {
    let tensor = inputs.take_tensor(index, name)?;
    if tensor.element_type() == ElementType::String {
        return Ok(tensor);
    }
    Err(OpError::WrongInput { index, name, expected: "a tensor of strings".to_owned(), found: format!("{tensor:?}") })
}

/// Strings of `X` with those of `Y` behind them.
#[derive(Debug)]
struct StringConcat;

impl Operator for StringConcat {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((_, left)), Some((_, right))) = (inputs.tensor(0), inputs.tensor(1)) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(ElementType::String, broadcast_symbolic(left, right)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (x, y) = (take_strings(&mut inputs, 0, "X")?, take_strings(&mut inputs, 1, "Y")?);
        let walk = Walk::new([x.shape(), y.shape()])?;
        let n_elements = context.check_result_size(ElementType::String, walk.shape())?;
        let (left, right) = (x.as_strings()?, y.as_strings()?);
        let mut strings = Vec::with_capacity(n_elements);
        walk.for_each(|[at_left, at_right]| {
            let mut text = left[at_left].clone();
            text.push_str(&right[at_right]);
            strings.push(text);
        });
        Ok(single(Tensor::from_strings(walk.shape(), strings)?))
    }
}

/// Cuts each string at a delimiter, or at white space. The parts stand along a new last axis, filled up with empty strings; how many there
/// are is the second output.
#[derive(Debug)]
struct StringSplit {
    /// Cuts at runs of white space if empty.
    delimiter: CompactString,
    /// What is left after so many cuts stays whole.
    max_cuts: usize,
}

impl StringSplit {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        // Python's str.split, which the specification follows, takes a negative number for "no limit".
        let max_cuts = node.attributes.int("maxsplit")?.and_then(|cuts| usize::try_from(cuts).ok()).unwrap_or(usize::MAX);
        Ok(Box::new(Self { delimiter: node.attributes.text("delimiter")?.unwrap_or_default().into(), max_cuts }))
    }

    fn parts<'a>(&self, text: &'a str) -> Vec<&'a str> {
        if !self.delimiter.is_empty() {
            return text.splitn(self.max_cuts.saturating_add(1), self.delimiter.as_str()).collect();
        }
        let mut parts = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let end = if parts.len() < self.max_cuts { rest.find(char::is_whitespace) } else { None };
            let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
            parts.push(part);
            rest = after.trim_start();
        }
        parts
    }
}

impl Operator for StringSplit {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let shape = inputs.tensor(0).map_or_else(SymbolicShape::unknown, |(_, shape)| shape.clone());
        let parts = SymbolicShape(shape.dims().map(|dims| [dims, &[Dimension::Unknown]].concat()));
        let types = [ValueType::tensor(ElementType::String, parts), ValueType::tensor(ElementType::I64, shape)];
        Ok(types.into_iter().take(inputs.n_outputs).map(Some).collect())
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = take_strings(&mut inputs, 0, "X")?;
        let parts: Vec<Vec<&str>> = x.as_strings()?.iter().map(|text| self.parts(text)).collect();
        let most = parts.iter().map(Vec::len).max().unwrap_or(0);
        let shape = [x.shape(), &[most]].concat();
        let n_elements = context.check_result_size(ElementType::String, &shape)?;
        let mut strings = Vec::with_capacity(n_elements);
        for parts in &parts {
            strings.extend(parts.iter().copied().map(CompactString::from));
            strings.extend(std::iter::repeat_n(CompactString::default(), most - parts.len()));
        }
        // A vector's length always fits.
        let counts = parts.iter().map(|parts| i64::try_from(parts.len()).unwrap_or(i64::MAX)).collect();
        let substrings = Tensor::from_strings(&shape, strings)?;
        Ok(smallvec![Value::Tensor(substrings), Value::Tensor(Tensor::from_vec(x.shape(), counts)?)])
    }
}

/// Whether a pattern matches the whole of each string.
#[derive(Debug)]
struct RegexFullMatch {
    pattern: regex::bytes::Regex,
}

impl RegexFullMatch {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { pattern: re2::whole(node.attributes.require_text("pattern")?)? }))
    }
}

impl Operator for RegexFullMatch {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).map(|(_, shape)| ValueType::tensor(ElementType::Bool, shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = take_strings(&mut inputs, 0, "X")?;
        let flags = x.as_strings()?.iter().map(|text| Bool::new(self.pattern.is_match(text.as_bytes()))).collect();
        Ok(single(Tensor::from_vec(x.shape(), flags)?))
    }
}

#[cfg(test)]
mod tests;

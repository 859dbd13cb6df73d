//! StringNormalizer: stop words removed, the case of the rest changed.

use std::collections::HashSet;

use compact_str::CompactString;

use super::take_strings;
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// Languages whose letters change case by rules of their own, as a locale begins.
const OWN_RULES: [(&str, &str); 3] = [("tr", "Turkish"), ("az", "Azerbaijani"), ("lt", "Lithuanian")];

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let case = match attributes.text("case_change_action")?.unwrap_or("NONE") {
        "LOWER" => Case::Lower,
        "UPPER" => Case::Upper,
        "NONE" => Case::Unchanged,
        other => return Err(OpError::value(format!("attribute 'case_change_action' is '{other}'; it may be 'LOWER', 'UPPER' or 'NONE'"))),
    };
    let is_case_sensitive = attributes.int("is_case_sensitive")?.unwrap_or(0) != 0;
    let locale = attributes.text("locale")?.unwrap_or_default();
    let language = locale.split(['_', '-', '.']).next().unwrap_or_default().to_ascii_lowercase();
    if let Some((_, name)) = OWN_RULES.iter().find(|(code, _)| *code == language) {
        return Err(OpError::unsupported(format!("the {name} way to change case (locale '{locale}')")));
    }
    let mut normalizer = StringNormalizer { case, is_case_sensitive, stop_words: HashSet::new() };
    normalizer.stop_words = attributes.texts("stopwords")?.unwrap_or_default().into_iter().map(|word| normalizer.key(word)).collect();
    Ok(Box::new(normalizer))
}

#[derive(Debug, Clone, Copy)]
enum Case {
    Lower,
    Upper,
    Unchanged,
}

/// Takes a list of strings, `[C]` or `[1, C]`. Where no string is left, the result is one empty string.
#[derive(Debug)]
struct StringNormalizer {
    case: Case,
    is_case_sensitive: bool,
    /// As [`Self::key`] has them.
    stop_words: HashSet<CompactString>,
}

impl StringNormalizer {
    /// How a word is compared.
    fn key(&self, word: &str) -> CompactString {
        if self.is_case_sensitive { word.into() } else { word.to_lowercase().into() }
    }

    fn normalized(&self, word: &CompactString) -> CompactString {
        match self.case {
            Case::Lower => word.to_lowercase(),
            Case::Upper => word.to_uppercase(),
            Case::Unchanged => word.clone(),
        }
    }
}

impl Operator for StringNormalizer {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let dims = match inputs.tensor(0).and_then(|(_, shape)| shape.rank()) {
            Some(1) => vec![Dimension::Unknown],
            Some(2) => vec![Dimension::Known(1), Dimension::Unknown],
            _ => return Ok(vec![None]),
        };
        Ok(vec![Some(ValueType::tensor(ElementType::String, dims))])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = take_strings(&mut inputs, 0, "X")?;
        if !matches!(x.shape(), [_] | [1, _]) {
            return Err(OpError::shape(format!("the input of shape {:?} should be a list: [C] or [1, C]", x.shape())));
        }
        let kept = x.as_strings()?.iter().filter(|word| self.stop_words.is_empty() || !self.stop_words.contains(&self.key(word)));
        let mut words: Vec<CompactString> = kept.map(|word| self.normalized(word)).collect();
        if words.is_empty() {
            words.push(CompactString::default());
        }
        let shape = if x.rank() == 1 { vec![words.len()] } else { vec![1, words.len()] };
        Ok(single(Tensor::from_strings(&shape, words)?))
    }
}

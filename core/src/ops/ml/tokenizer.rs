//! Tokenizer of `com.microsoft`, version 1, which text models of scikit-learn use: strings cut into tokens.
//! <https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.Tokenizer>.
//!
//! Patterns are RE2's, and of the matches that begin first the longest counts.

use compact_str::{CompactString, ToCompactString as _};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input, MatchKind, meta};

use super::wrong_input;
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::text::re2;
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::{Shape, Tensor};

const START_OF_TEXT: &str = "\u{2}";
const END_OF_TEXT: &str = "\u{3}";

#[derive(Debug)]
struct Tokenizer {
    method: Method,
    /// Whether a row's tokens stand between [`START_OF_TEXT`] and [`END_OF_TEXT`].
    marks_ends: bool,
    /// Behind the tokens of rows that have fewer than others.
    padding: CompactString,
    /// Shorter tokens are left out.
    min_chars: usize,
}

#[derive(Debug)]
enum Method {
    Characters,
    /// Tokens are what a pattern matches.
    Tokens(Box<Pattern>),
    /// Tokens are what stands between the matches of all patterns.
    Between(Vec<Pattern>),
}

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let min_chars = attributes.require_int("mincharnum")?;
    let min_chars = usize::try_from(min_chars).ok().filter(|&min_chars| min_chars > 0);
    let min_chars = min_chars.ok_or_else(|| OpError::value("mincharnum must be positive"))?;
    let method = match (attributes.texts("separators")?.as_deref(), attributes.text("tokenexp")?) {
        (Some([""]), _) | (None, Some(".")) => Method::Characters,
        (Some([]), _) | (None, None | Some("")) => return Err(OpError::value("one of separators and tokenexp must be given, and not be empty")),
        (Some(separators), _) => Method::Between(separators.iter().map(|pattern| Pattern::new(pattern)).collect::<Result<_, _>>()?),
        (None, Some(pattern)) => Method::Tokens(Box::new(Pattern::new(pattern)?)),
    };
    if matches!(method, Method::Characters) && min_chars > 1 {
        return Err(OpError::value(format!("mincharnum is {min_chars}, but tokens of one character are asked for")));
    }
    let marks_ends = attributes.require_int("mark")? != 0;
    let padding = attributes.require_text("pad_value")?.to_compact_string();
    Ok(Box::new(Tokenizer { method, marks_ends, padding, min_chars }))
}

/// A pattern whose longest match is found.
#[derive(Debug)]
struct Pattern {
    /// Finds where the first match begins.
    first: meta::Regex,
    /// Finds where the longest one ends.
    longest: DFA,
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, OpError> {
        let translated = re2::translate(pattern)?;
        let wrong = || OpError::value(format!("'{pattern}' is no regular expression"));
        let first = meta::Regex::new(&translated).map_err(|_| wrong())?;
        let config = DFA::config().match_kind(MatchKind::All).skip_cache_capacity_check(true);
        let longest = DFA::builder().configure(config).build(&translated).map_err(|_| wrong())?;
        Ok(Self { first, longest })
    }

    /// Where the match from `start` on that begins first is, the longest of these.
    fn find(&self, cache: &mut Cache, text: &str, start: usize) -> Result<Option<(usize, usize)>, OpError> {
        if start > text.len() {
            return Ok(None);
        }
        let Some(found) = self.first.find(Input::new(text).range(start..)) else { return Ok(None) };
        let from_there = Input::new(text).range(found.start()..).anchored(Anchored::Yes);
        let end = self.longest.try_search_fwd(cache, &from_there).map_err(|error| OpError::value(format!("matching a pattern failed: {error}")))?;
        Ok(Some((found.start(), end.map_or(found.end(), |end| end.offset()))))
    }
}

/// Where the character at `place` ends.
fn after_character(text: &str, place: usize) -> usize {
    place + text[place..].chars().next().map_or(1, char::len_utf8)
}

impl Tokenizer {
    /// The tokens of each text.
    fn tokenize<'a>(&self, texts: &'a [CompactString]) -> Result<Vec<Vec<&'a str>>, OpError> {
        match &self.method {
            Method::Characters => Ok(texts
                .iter()
                .map(|text| text.char_indices().map(|(place, character)| &text[place..place + character.len_utf8()]).collect())
                .collect()),
            Method::Tokens(pattern) => {
                let mut cache = pattern.longest.create_cache();
                texts.iter().map(|text| self.tokens(pattern, &mut cache, text)).collect()
            }
            Method::Between(patterns) => {
                let mut caches: Vec<Cache> = patterns.iter().map(|pattern| pattern.longest.create_cache()).collect();
                let cut = |text: &'a CompactString| {
                    let mut parts = vec![text.as_str()];
                    for (pattern, cache) in patterns.iter().zip(&mut caches) {
                        let mut smaller = Vec::new();
                        for part in parts {
                            self.cut(pattern, cache, part, &mut smaller)?;
                        }
                        parts = smaller;
                    }
                    Ok(parts)
                };
                texts.iter().map(cut).collect()
            }
        }
    }

    fn is_long_enough(&self, token: &str) -> bool {
        token.chars().nth(self.min_chars - 1).is_some()
    }

    fn tokens<'a>(&self, pattern: &Pattern, cache: &mut Cache, text: &'a str) -> Result<Vec<&'a str>, OpError> {
        let mut tokens = Vec::new();
        if !self.is_long_enough(text) {
            return Ok(tokens);
        }
        let mut start = 0;
        while let Some((first, end)) = pattern.find(cache, text, start)? {
            if self.is_long_enough(&text[first..end]) {
                tokens.push(&text[first..end]);
                start = end;
            } else {
                start = after_character(text, first);
            }
        }
        Ok(tokens)
    }

    fn cut<'a>(&self, pattern: &Pattern, cache: &mut Cache, text: &'a str, parts: &mut Vec<&'a str>) -> Result<(), OpError> {
        let mut start = 0;
        while let Some((first, end)) = pattern.find(cache, text, start)? {
            parts.extend(Some(&text[start..first]).filter(|part| self.is_long_enough(part)));
            start = if end > first { end } else { after_character(text, first) };
        }
        parts.extend(text.get(start..).filter(|part| self.is_long_enough(part)));
        Ok(())
    }
}

impl Operator for Tokenizer {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        // What is empty loses a dimension.
        let dims = inputs.tensor(0).and_then(|(_, shape)| shape.dims()).filter(|dims| !dims.contains(&Dimension::Known(0)));
        let shape = dims.map_or_else(SymbolicShape::unknown, |dims| dims.iter().cloned().chain([Dimension::Unknown]).collect::<Vec<_>>().into());
        Ok(vec![Some(ValueType::tensor(ElementType::String, shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        if x.element_type() != ElementType::String || !(1..=2).contains(&x.rank()) {
            return Err(wrong_input(0, "X", "a tensor of string with one or two dimensions", &x));
        }
        if x.is_empty() {
            // Of two dimensions the second is left out, as in ONNX Runtime.
            let shape: Shape = x.shape()[..x.rank() - 1].iter().copied().chain([0]).collect();
            return Ok(single(Tensor::empty(ElementType::String, &shape)));
        }
        let rows = self.tokenize(x.as_strings()?)?;
        let most = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = if most == 0 { 0 } else { most + if self.marks_ends { 2 } else { 0 } };
        let mut shape: Shape = x.shape().into();
        shape.push(width);
        let mut tokens: Vec<CompactString> = Vec::with_capacity(context.check_result_size(ElementType::String, &shape)?);
        for row in rows.iter().filter(|_| width > 0) {
            let end = tokens.len() + width;
            tokens.extend(self.marks_ends.then_some(START_OF_TEXT.into()));
            tokens.extend(row.iter().map(|&token| CompactString::from(token)));
            tokens.extend(self.marks_ends.then_some(END_OF_TEXT.into()));
            tokens.resize(end, self.padding.clone());
        }
        Ok(single(Tensor::from_strings(&shape, tokens)?))
    }
}

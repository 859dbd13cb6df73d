//! TfIdfVectorizer: how often each of a pool of n-grams occurs in a text.

use std::collections::HashMap;

use compact_str::CompactString;

use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

pub(super) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let count = |name: &str, least: i64| {
        let value = attributes.require_int(name)?;
        let count = usize::try_from(value).ok().filter(|_| value >= least);
        count.ok_or_else(|| OpError::value(format!("attribute '{name}' is {value}; it must be at least {least}")))
    };
    let mode = match attributes.require_text("mode")? {
        "TF" => Mode::Count,
        "IDF" => Mode::Weight,
        "TFIDF" => Mode::WeightedCount,
        other => return Err(OpError::value(format!("attribute 'mode' is '{other}'; it may be 'TF', 'IDF' or 'TFIDF'"))),
    };
    let (vocabulary, pool) = vocabulary(node)?;
    let mut indexes = Vec::new();
    for &index in attributes.require_ints("ngram_indexes")? {
        indexes.push(usize::try_from(index).map_err(|_| OpError::value(format!("attribute 'ngram_indexes' holds {index}, a negative index")))?);
    }
    let weights = attributes.floats("weights")?.filter(|weights| !weights.is_empty());
    if let Some(weights) = weights
        && weights.len() != indexes.len()
    {
        return Err(OpError::value(format!("attribute 'weights' has {} entries, but ngram_indexes has {}", weights.len(), indexes.len())));
    }
    let mut vectorizer = TfIdfVectorizer {
        mode,
        vocabulary,
        max_skips: count("max_skip_count", 0)?,
        min_length: count("min_gram_length", 1)?,
        max_length: count("max_gram_length", 1)?,
        n_columns: indexes.iter().max().map_or(0, |last| last.saturating_add(1)),
        grams: Vec::new(),
        children: HashMap::new(),
        ends: vec![None],
    };
    if vectorizer.max_length < vectorizer.min_length {
        let (min, max) = (vectorizer.min_length, vectorizer.max_length);
        return Err(OpError::value(format!("attribute 'max_gram_length' is {max}, less than min_gram_length, {min}")));
    }
    let gram = |(index, &column): (usize, &usize)| Gram { column, weight: weights.and_then(|weights| weights.get(index)).copied().unwrap_or(1.0) };
    vectorizer.grams = indexes.iter().enumerate().map(gram).collect();
    vectorizer.insert_pool(attributes.require_ints("ngram_counts")?, &pool)?;
    Ok(Box::new(vectorizer))
}

/// The words that the pool is made of, and the pool as numbers of these words.
fn vocabulary(node: &NodeContext<'_>) -> Result<(Vocabulary, Vec<u32>), OpError> {
    fn number<T: std::hash::Hash + Eq>(words: impl Iterator<Item = T>) -> (HashMap<T, u32>, Vec<u32>) {
        let mut numbers = HashMap::new();
        let pool = words
            .map(|word| {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                *numbers.entry(word).or_insert(next)
            })
            .collect();
        (numbers, pool)
    }
    match (node.attributes.texts("pool_strings")?, node.attributes.ints("pool_int64s")?) {
        (Some(strings), None) => {
            let (numbers, pool) = number(strings.into_iter().map(CompactString::from));
            Ok((Vocabulary::Strings(numbers), pool))
        }
        (None, Some(ints)) => {
            let (numbers, pool) = number(ints.iter().copied());
            Ok((Vocabulary::Ints(numbers), pool))
        }
        _ => Err(OpError::value("one of the attributes pool_strings and pool_int64s must be given, and not both")),
    }
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    Count,
    /// The weight, if the n-gram occurs at all.
    Weight,
    WeightedCount,
}

#[derive(Debug)]
enum Vocabulary {
    Ints(HashMap<i64, u32>),
    Strings(HashMap<CompactString, u32>),
}

/// One n-gram of the pool: where in the result it counts, and how much.
#[derive(Debug, Clone, Copy)]
struct Gram {
    column: usize,
    weight: f32,
}

#[derive(Debug)]
struct TfIdfVectorizer {
    mode: Mode,
    vocabulary: Vocabulary,
    max_skips: usize,
    min_length: usize,
    max_length: usize,
    n_columns: usize,
    grams: Vec<Gram>,
    /// The pool as a tree: from a node by a word to the next node. Node 0 is the root.
    children: HashMap<(u32, u32), u32>,
    /// Per node: the n-gram that ends there, as an index into `grams`.
    ends: Vec<Option<usize>>,
}

impl TfIdfVectorizer {
    /// `starts[n - 1]` is where in the pool the n-grams of length n begin.
    fn insert_pool(&mut self, starts: &[i64], pool: &[u32]) -> Result<(), OpError> {
        let wrong =
            || OpError::value(format!("attribute 'ngram_counts' is {starts:?}, which does not cut a pool of {} words into n-grams", pool.len()));
        let mut next_gram = 0;
        for (index, &start) in starts.iter().enumerate() {
            let start = usize::try_from(start).map_err(|_| wrong())?;
            let end = starts.get(index + 1).map_or(Ok(pool.len()), |&end| usize::try_from(end)).map_err(|_| wrong())?;
            let words = pool.get(start..end).ok_or_else(wrong)?;
            let length = index + 1;
            if words.len() % length != 0 {
                return Err(wrong());
            }
            for gram in words.chunks(length) {
                if next_gram >= self.grams.len() {
                    return Err(OpError::value(format!("the pool holds more n-grams than ngram_indexes, {}", self.grams.len())));
                }
                if (self.min_length..=self.max_length).contains(&length) {
                    self.insert(gram, next_gram)?;
                }
                next_gram += 1;
            }
        }
        Ok(())
    }

    fn insert(&mut self, words: &[u32], gram: usize) -> Result<(), OpError> {
        let mut node = 0;
        for &word in words {
            let next = u32::try_from(self.ends.len()).map_err(|_| OpError::unsupported("a pool of more than 4 billion words"))?;
            node = *self.children.entry((node, word)).or_insert(next);
            if node == next {
                self.ends.push(None);
            }
        }
        match self.ends.get_mut(node as usize) {
            Some(end @ None) => {
                *end = Some(gram);
                Ok(())
            }
            _ => Err(OpError::value(format!("n-gram {gram} of the pool is there twice"))),
        }
    }

    /// The words of the input as numbers; `None` for those that the pool does not have.
    fn words(&self, x: &Tensor) -> Result<Vec<Option<u32>>, OpError> {
        let wrong = |expected: &str| OpError::WrongInput { index: 0, name: "X", expected: expected.to_owned(), found: format!("{x:?}") };
        match &self.vocabulary {
            Vocabulary::Strings(numbers) if x.element_type() == ElementType::String => {
                Ok(x.as_strings()?.iter().map(|word| numbers.get(word).copied()).collect())
            }
            Vocabulary::Strings(_) => Err(wrong("a tensor of strings, as attribute pool_strings is")),
            Vocabulary::Ints(numbers) if matches!(x.element_type(), ElementType::I32 | ElementType::I64) => {
                Ok(x.to_i64s()?.iter().map(|word| numbers.get(word).copied()).collect())
            }
            Vocabulary::Ints(_) => Err(wrong("a tensor of int32 or int64, as attribute pool_int64s is")),
        }
    }

    fn count(&self, words: &[Option<u32>], result: &mut [f32]) {
        // Words further apart than the text is long don't occur.
        let max_distance = self.max_skips.saturating_add(1).min(words.len());
        for distance in 1..=max_distance {
            // Single words have no distance: they count once.
            let min_length = if distance == 1 { self.min_length } else { self.min_length.max(2) };
            for start in 0..words.len() {
                let mut node = 0;
                for (length, word) in (1..=self.max_length).zip(words.iter().skip(start).step_by(distance)) {
                    let Some(&next) = word.and_then(|word| self.children.get(&(node, word))) else { break };
                    node = next;
                    if length >= min_length
                        && let Some(gram) = self.ends.get(node as usize).copied().flatten()
                    {
                        self.note(self.grams[gram], result);
                    }
                }
            }
        }
    }

    fn note(&self, gram: Gram, result: &mut [f32]) {
        let Some(cell) = result.get_mut(gram.column) else { return };
        match self.mode {
            Mode::Count => *cell += 1.0,
            Mode::Weight => *cell = gram.weight,
            Mode::WeightedCount => *cell += gram.weight,
        }
    }
}

impl Operator for TfIdfVectorizer {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let columns = Dimension::Known(self.n_columns);
        let dims = match inputs.tensor(0).and_then(|(_, shape)| shape.dims()) {
            Some([_]) => vec![columns],
            Some([rows, _]) => vec![rows.clone(), columns],
            _ => return Ok(vec![None]),
        };
        Ok(vec![Some(ValueType::tensor(ElementType::F32, dims))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let words = self.words(&x)?;
        let (shape, row_length) = match *x.shape() {
            [length] => (vec![self.n_columns], length),
            [rows, length] => (vec![rows, self.n_columns], length),
            _ => return Err(OpError::shape(format!("the input of shape {:?} should be one text, [C], or several, [N, C]", x.shape()))),
        };
        let mut counts = vec![0.0; context.check_result_size(ElementType::F32, &shape)?];
        if row_length > 0 && self.n_columns > 0 {
            for (words, counts) in words.chunks(row_length).zip(counts.chunks_mut(self.n_columns)) {
                self.count(words, counts);
            }
        }
        Ok(single(Tensor::from_vec(&shape, counts)?))
    }
}

//! From cells to a model's inputs: which column goes where, and the tensors being filled.

use compact_str::CompactString;
use half::{bf16, f16};

use super::{Column, check};
use crate::data::Cell;
use crate::data::cell::is_missing_text;
use crate::graph::{Dimension, Graph, Model};
use crate::host::{Bool, ElementType};
use crate::tensor::{Tensor, TensorError, Value};

/// Where every column goes. Built once per table or form.
#[derive(Debug, Clone)]
pub struct InputLayout {
    /// In the order in which cells are asked for.
    features: Vec<Feature>,
    inputs: Vec<InputSlot>,
    /// Rows that the model takes at once, where its shape fixes them.
    pub fixed_rows: Option<usize>,
}

#[derive(Debug, Clone)]
struct InputSlot {
    name: String,
    element_type: ElementType,
    /// The shape behind the row dimension.
    row_shape: Vec<usize>,
    n_features: usize,
}

#[derive(Debug, Clone)]
struct Feature {
    input: usize,
    position: usize,
    is_number: bool,
    may_be_missing: bool,
    /// A spelling of "missing" that is a value of this column (`None` as a category).
    categories: Vec<String>,
}

/// A cell that can't be fed to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCell {
    /// Index of the column among those of the layout.
    pub feature: usize,
    pub message: String,
}

impl InputLayout {
    /// The layout of `columns` (a contract's, or those bound to a table) in the model's inputs; a sentence where they don't fill them.
    pub fn new(model: &Model, columns: &[Column]) -> Result<Self, String> {
        let graph = &model.graph;
        let mut layout = Self { features: Vec::new(), inputs: Vec::new(), fixed_rows: None };
        let mut input_names: Vec<&str> = graph.required_inputs().map(|id| graph.value(id).name.as_str()).collect();
        for column in columns {
            // An input with a default is fed when a column says so.
            if !input_names.contains(&column.input.as_str()) {
                input_names.push(&column.input);
            }
        }
        for name in &input_names {
            let n_features = columns.iter().filter(|column| column.input == *name).count();
            let (slot, rows) = input_slot(graph, name, n_features)?;
            layout.fixed_rows = layout.fixed_rows.or(rows);
            layout.inputs.push(slot);
        }
        for column in columns {
            let input = input_names.iter().position(|name| *name == column.input).unwrap_or_default();
            let categories = column.categories.iter().filter(|category| is_missing_text(category)).cloned().collect();
            let is_number = layout.inputs.get(input).is_some_and(|input| input.element_type != ElementType::String);
            layout.features.push(Feature { input, position: column.position, is_number, may_be_missing: column.may_be_missing, categories });
        }
        Ok(layout)
    }

    /// Whether the input behind a column holds numbers, so that a cell may come as [`Cell::Number`] whatever its text.
    pub fn takes_numbers(&self, feature: usize) -> bool {
        self.features.get(feature).is_some_and(|feature| feature.is_number)
    }
}

fn input_slot(graph: &Graph, name: &str, n_features: usize) -> Result<(InputSlot, Option<usize>), String> {
    let id = graph.find_value(name).filter(|id| graph.inputs.contains(id));
    let Some(id) = id else {
        let known = check::names(graph.inputs.iter().map(|id| graph.value(*id).name.as_str()));
        return Err(format!("the model has no input '{name}'; its inputs are {known}"));
    };
    let value_type = graph.value(id).value_type.as_ref();
    let Some((element_type, shape)) = value_type.and_then(|value_type| value_type.as_tensor()) else {
        let found = value_type.map_or_else(|| "of a type that the model does not tell".to_owned(), |value_type| format!("a {value_type}"));
        return Err(format!("the input '{name}' is {found}; columns can feed tensors only"));
    };
    if n_features == 0 {
        return Err(format!("the input '{name}' ({element_type}{shape}) is fed by no column"));
    }
    let dims = shape.dims();
    let row_dims = match dims {
        None => &[Dimension::Unknown],
        Some([]) => return Err(format!("the input '{name}' ({element_type}{shape}) takes a single value, not one per row")),
        Some([_, row_dims @ ..]) => row_dims,
    };
    let row_shape = row_shape(row_dims, n_features).ok_or_else(|| {
        let expected = row_dims.iter().map(Dimension::known).try_fold(1_usize, |product, dim| product.checked_mul(dim?));
        let expected = expected.map_or_else(|| "another number of".to_owned(), |expected| expected.to_string());
        format!("the input '{name}' ({element_type}{shape}) takes {expected} features per row, but {n_features} columns feed it")
    })?;
    let fixed_rows = dims.and_then(|dims| dims.first()?.known()).filter(|&rows| rows > 0);
    Ok((InputSlot { name: name.to_owned(), element_type, row_shape, n_features }, fixed_rows))
}

/// The shape of one row of `n_features`, where at most one dimension is open.
fn row_shape(dims: &[Dimension], n_features: usize) -> Option<Vec<usize>> {
    let known = dims.iter().filter_map(Dimension::known).try_fold(1_usize, usize::checked_mul)?;
    let n_open = dims.iter().filter(|dim| dim.known().is_none()).count();
    let open = if n_open == 0 { 1 } else { n_features.checked_div(known)? };
    (n_open <= 1 && known.checked_mul(open) == Some(n_features)).then(|| dims.iter().map(|dim| dim.known().unwrap_or(open)).collect())
}

/// Rows of a batch, on their way into tensors.
#[derive(Debug)]
pub struct InputRows<'a> {
    layout: &'a InputLayout,
    buffers: Vec<Buffer>,
    n_rows: usize,
    capacity: usize,
}

/// The elements of one input; those behind the last row are not yet of any meaning.
#[derive(Debug)]
enum Buffer {
    F32(Vec<f32>),
    F64(Vec<f64>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    Bool(Vec<Bool>),
    Text(Vec<CompactString>),
}

impl<'a> InputRows<'a> {
    /// Room for `capacity` rows.
    pub fn new(layout: &'a InputLayout, capacity: usize) -> Result<Self, String> {
        let buffers = layout.inputs.iter().map(|input| Buffer::new(input, capacity)).collect::<Result<_, _>>()?;
        Ok(Self { layout, buffers, n_rows: 0, capacity })
    }

    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Adds a row; `cell` gives the cell of each feature, in the order of the layout's columns. A refused row leaves no trace.
    pub fn push<'c>(&mut self, mut cell: impl FnMut(usize) -> Cell<'c>) -> Result<(), RefusedCell> {
        debug_assert!(self.n_rows < self.capacity, "more rows than there is room for");
        for (index, feature) in self.layout.features.iter().enumerate() {
            let at = self.n_rows * self.layout.inputs[feature.input].n_features + feature.position;
            self.buffers[feature.input].set(at, &cell(index), feature).map_err(|message| RefusedCell { feature: index, message })?;
        }
        self.n_rows += 1;
        Ok(())
    }

    /// Takes the last row back.
    pub fn pop(&mut self) {
        self.n_rows = self.n_rows.saturating_sub(1);
    }

    /// The model's inputs. With `at_least` rows: the last one is repeated as often as that takes.
    pub fn finish(self, at_least: usize) -> Result<Vec<(String, Value)>, TensorError> {
        let n_rows = self.n_rows.max(at_least);
        let inputs = self.layout.inputs.iter().zip(self.buffers);
        inputs.map(|(input, buffer)| Ok((input.name.clone(), Value::Tensor(buffer.into_tensor(input, self.n_rows, n_rows)?)))).collect()
    }
}

macro_rules! each_buffer {
    ($buffer:expr, $values:ident => $body:expr, text $texts:ident => $text_body:expr) => {
        match $buffer {
            Buffer::F32($values) => $body,
            Buffer::F64($values) => $body,
            Buffer::F16($values) => $body,
            Buffer::Bf16($values) => $body,
            Buffer::I8($values) => $body,
            Buffer::I16($values) => $body,
            Buffer::I32($values) => $body,
            Buffer::I64($values) => $body,
            Buffer::U8($values) => $body,
            Buffer::U16($values) => $body,
            Buffer::U32($values) => $body,
            Buffer::U64($values) => $body,
            Buffer::Bool($values) => $body,
            Buffer::Text($texts) => $text_body,
        }
    };
}

impl Buffer {
    fn new(input: &InputSlot, n_rows: usize) -> Result<Self, String> {
        let n = n_rows * input.n_features;
        Ok(match input.element_type {
            ElementType::F32 => Self::F32(vec![0.0; n]),
            ElementType::F64 => Self::F64(vec![0.0; n]),
            ElementType::F16 => Self::F16(vec![f16::ZERO; n]),
            ElementType::Bf16 => Self::Bf16(vec![bf16::ZERO; n]),
            ElementType::I8 => Self::I8(vec![0; n]),
            ElementType::I16 => Self::I16(vec![0; n]),
            ElementType::I32 => Self::I32(vec![0; n]),
            ElementType::I64 => Self::I64(vec![0; n]),
            ElementType::U8 => Self::U8(vec![0; n]),
            ElementType::U16 => Self::U16(vec![0; n]),
            ElementType::U32 => Self::U32(vec![0; n]),
            ElementType::U64 => Self::U64(vec![0; n]),
            ElementType::Bool => Self::Bool(vec![Bool::default(); n]),
            ElementType::String => Self::Text(vec![CompactString::default(); n]),
            other => return Err(format!("the input '{}' takes {other}, which columns can't feed", input.name)),
        })
    }

    #[inline]
    fn set(&mut self, at: usize, cell: &Cell<'_>, feature: &Feature) -> Result<(), String> {
        match self {
            Self::F32(values) => values[at] = number(cell, feature, cell.to_f32())?,
            Self::F64(values) => values[at] = number(cell, feature, cell.to_f64())?,
            Self::F16(values) => values[at] = f16::from_f32(number(cell, feature, cell.to_f32())?),
            Self::Bf16(values) => values[at] = bf16::from_f32(number(cell, feature, cell.to_f32())?),
            Self::I8(values) => values[at] = integer(cell, "int8")?,
            Self::I16(values) => values[at] = integer(cell, "int16")?,
            Self::I32(values) => values[at] = integer(cell, "int32")?,
            Self::I64(values) => values[at] = integer(cell, "int64")?,
            Self::U8(values) => values[at] = integer(cell, "uint8")?,
            Self::U16(values) => values[at] = integer(cell, "uint16")?,
            Self::U32(values) => values[at] = integer(cell, "uint32")?,
            Self::U64(values) => values[at] = integer(cell, "uint64")?,
            Self::Bool(values) => values[at] = Bool::new(boolean(cell)?),
            Self::Text(values) => values[at] = text(cell, feature)?,
        }
        Ok(())
    }

    fn into_tensor(self, input: &InputSlot, n_filled: usize, n_rows: usize) -> Result<Tensor, TensorError> {
        let shape: Vec<usize> = std::iter::once(n_rows).chain(input.row_shape.iter().copied()).collect();
        let n = input.n_features;
        each_buffer!(self, values => Tensor::from_vec(&shape, fit(values, n, n_filled, n_rows)),
            text texts => Tensor::from_strings(&shape, fit(texts, n, n_filled, n_rows)))
    }
}

/// Cuts `values` to `n_rows` rows of `n`, or repeats the last of the `n_filled` ones.
fn fit<T: Clone>(mut values: Vec<T>, n: usize, n_filled: usize, n_rows: usize) -> Vec<T> {
    values.truncate(n_filled * n);
    let last = values.get(n_filled.saturating_sub(1) * n..).map(<[T]>::to_vec).unwrap_or_default();
    for _ in n_filled..n_rows {
        values.extend_from_slice(&last);
    }
    values
}

/// What the float types share here.
trait Float {
    const NAN: Self;
}

impl Float for f32 {
    const NAN: Self = Self::NAN;
}

impl Float for f64 {
    const NAN: Self = Self::NAN;
}

#[inline]
fn number<F: Float>(cell: &Cell<'_>, feature: &Feature, parsed: Result<Option<F>, crate::data::cell::NotANumber>) -> Result<F, String> {
    match parsed {
        Ok(Some(number)) => Ok(number),
        Ok(None) if feature.may_be_missing => Ok(F::NAN),
        Ok(None) => Err(missing("a number")),
        Err(_) => Err(not_a_number(cell, "a number")),
    }
}

fn integer<T: TryFrom<i64>>(cell: &Cell<'_>, type_name: &str) -> Result<T, String> {
    match cell.to_i64() {
        Ok(Some(number)) => T::try_from(number).map_err(|_| format!("{} does not fit the input's type, {type_name}", shown(cell))),
        Ok(None) => Err(missing("a whole number")),
        Err(_) => Err(not_a_number(cell, "a whole number")),
    }
}

fn boolean(cell: &Cell<'_>) -> Result<bool, String> {
    match cell.to_i64() {
        Ok(Some(0)) => Ok(false),
        Ok(Some(1)) => Ok(true),
        Ok(None) => Err(missing("true or false")),
        _ => Err(format!("expected true or false, found {}", shown(cell))),
    }
}

fn text(cell: &Cell<'_>, feature: &Feature) -> Result<CompactString, String> {
    let text = cell.to_text().filter(|text| !is_missing_text(text) || feature.categories.iter().any(|category| category == text));
    match text {
        Some(text) => Ok(CompactString::from(text)),
        None if feature.may_be_missing => Ok(CompactString::default()),
        None => Err(missing("a text")),
    }
}

fn missing(expected: &str) -> String {
    format!("the value is missing; the model needs {expected} here")
}

fn not_a_number(cell: &Cell<'_>, expected: &str) -> String {
    let text = cell.to_text().unwrap_or_default();
    let has_decimal_comma = text.matches(',').count() == 1 && crate::data::cell::parse_number::<f64>(&text.replace(',', ".")).is_some();
    let hint = if has_decimal_comma { "; write decimals with a point" } else { "" };
    format!("expected {expected}, found {}{hint}", shown(cell))
}

/// A cell as errors quote it.
fn shown(cell: &Cell<'_>) -> String {
    const SHOWN: usize = 40;
    let text = cell.to_text().unwrap_or_default();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("'{}…'", &text[..end]),
        None => format!("'{text}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::testing::{float_model, input, tensor_type};

    fn columns(input: &str, n: usize) -> Vec<Column> {
        (0..n).map(|position| Column { name: format!("c{position}"), input: input.to_owned(), position, ..Column::default() }).collect()
    }

    fn push(rows: &mut InputRows<'_>, cells: &[&str]) -> Result<(), RefusedCell> {
        rows.push(|feature| Cell::Text(cells[feature].to_owned().into()))
    }

    #[test]
    fn rows_become_a_tensor_and_refused_ones_leave_no_trace() {
        let mut columns = columns("x", 2);
        columns[1].may_be_missing = true;
        columns.swap(0, 1);
        let layout = InputLayout::new(&float_model(2), &columns).unwrap();
        let mut rows = InputRows::new(&layout, 4).unwrap();
        // The layout's first column feeds position 1.
        push(&mut rows, &["2", "1"]).unwrap();
        assert_eq!(push(&mut rows, &["7", "abc"]), Err(RefusedCell { feature: 1, message: "expected a number, found 'abc'".to_owned() }));
        assert_eq!(push(&mut rows, &["7", "NA"]).unwrap_err().message, "the value is missing; the model needs a number here");
        assert!(push(&mut rows, &["1,5", "1"]).unwrap_err().message.ends_with("write decimals with a point"));
        push(&mut rows, &["", "3"]).unwrap();
        let inputs = rows.finish(3).unwrap();
        let tensor = inputs[0].1.as_tensor().unwrap();
        assert_eq!((inputs[0].0.as_str(), tensor.shape()), ("x", &[3, 2][..]));
        let values = tensor.as_slice::<f32>().unwrap();
        assert_eq!(values[..3], [1.0, 2.0, 3.0]);
        assert!(values[3].is_nan());
        assert_eq!(values[4], 3.0);
    }

    #[test]
    fn every_input_type_reads_its_cells() {
        let mut model = Model::default();
        input(&mut model.graph, "id", tensor_type(ElementType::I64, &[None]));
        input(&mut model.graph, "small", tensor_type(ElementType::I8, &[None, Some(1)]));
        input(&mut model.graph, "flag", tensor_type(ElementType::Bool, &[None, Some(1)]));
        input(&mut model.graph, "text", tensor_type(ElementType::String, &[None, Some(1)]));
        let mut columns: Vec<Column> = ["id", "small", "flag", "text"]
            .iter()
            .map(|name| Column { name: (*name).to_owned(), input: (*name).to_owned(), ..Column::default() })
            .collect();
        columns[3].categories = vec!["None".to_owned()];
        let layout = InputLayout::new(&model, &columns).unwrap();
        let mut rows = InputRows::new(&layout, 2).unwrap();
        push(&mut rows, &["9007199254740993", "-5.0", "TRUE", "None"]).unwrap();
        assert_eq!(push(&mut rows, &["1", "200", "1", "x"]).unwrap_err().message, "'200' does not fit the input's type, int8");
        assert_eq!(push(&mut rows, &["1", "2", "2", "x"]).unwrap_err().message, "expected true or false, found '2'");
        assert_eq!(push(&mut rows, &["1", "2", "1", "null"]).unwrap_err().message, "the value is missing; the model needs a text here");
        let inputs = rows.finish(0).unwrap();
        assert_eq!(inputs[0].1.as_tensor().unwrap().as_slice::<i64>().unwrap()[..], [9_007_199_254_740_993]);
        assert_eq!(inputs[0].1.as_tensor().unwrap().shape(), [1]);
        assert_eq!(inputs[3].1.as_tensor().unwrap().as_strings().unwrap()[0], "None");
    }

    #[test]
    fn columns_that_do_not_fill_the_inputs_are_refused() {
        let error = |model: &Model, n| InputLayout::new(model, &columns("x", n)).unwrap_err();
        assert_eq!(error(&float_model(3), 2), "the input 'x' (float32[N, 3]) takes 3 features per row, but 2 columns feed it");
        assert_eq!(error(&float_model(3), 0), "the input 'x' (float32[N, 3]) is fed by no column");
        let mut model = Model::default();
        input(&mut model.graph, "x", tensor_type(ElementType::F32, &[Some(1), Some(1), None, Some(4)]));
        let layout = InputLayout::new(&model, &columns("x", 12)).unwrap();
        assert_eq!((layout.inputs[0].row_shape.as_slice(), layout.fixed_rows), (&[1, 3, 4][..], Some(1)));
        assert!(InputLayout::new(&model, &columns("x", 13)).is_err());
    }
}

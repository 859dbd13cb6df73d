//! What a model is run on while it is measured: rows of a table, or numbers drawn from the contract's ranges, always the same for a seed.

use std::path::Path;
use std::sync::Arc;

use compact_str::CompactString;

use super::statistics::Random;
use super::{ProfileError, ProfileRequest};
use crate::contract::{Column, ColumnKind, ContractSource, InputLayout, InputRows, did_you_mean, names};
use crate::data::{Cell, Rows, TableReader, TableSchema};
use crate::engine::{Plan, RunError};
use crate::graph::infer::infer_types;
use crate::graph::{Dimension, Node, ValueId, ValueType};
use crate::host::ElementType;
use crate::model::OpenModel;
use crate::ops::inference::BuiltOperators;
use crate::task::TaskCtx;
use crate::tensor::{Tensor, TensorError, Value};

/// Makes a model's inputs for any number of rows.
pub struct Feeder<'a> {
    model: &'a OpenModel,
    seed: u64,
    source: Source,
    /// Dimensions set by hand.
    dims: Vec<(String, usize)>,
    /// Dimensions that nobody has set, with what stands in for them.
    usual: Vec<(String, usize)>,
    /// Types of the model's values, as far as they follow from the file.
    types: Vec<Option<ValueType>>,
    /// Rows that the model takes at once, where its shape fixes them.
    pub fixed_rows: Option<usize>,
    /// Where the numbers come from, and what was decided for lack of a word.
    pub notes: Vec<String>,
}

enum Source {
    /// Columns of the contract, from a table or drawn.
    Columns(Box<Columns>),
    /// Tensors of the declared shapes.
    Tensors,
}

struct Columns {
    columns: Vec<Column>,
    layout: InputLayout,
    table: Option<Table>,
}

struct Table {
    rows: Rows,
    /// By column of the contract: its place in the table.
    places: Vec<usize>,
    good_rows: Vec<usize>,
}

impl<'a> Feeder<'a> {
    pub fn new(model: &'a OpenModel, request: &ProfileRequest) -> Result<Self, ProfileError> {
        // Columns read off the signature know nothing that the tensors don't say, unless a table is to feed them.
        let is_told = model.contract_source != ContractSource::Signature || request.data.is_some();
        let columns = if is_told { model.contract.columns.clone() } else { Vec::new() };
        let layout = if columns.is_empty() { None } else { InputLayout::new(&model.model, &columns).ok() };
        let mut feeder = Self {
            model,
            seed: request.seed,
            source: Source::Tensors,
            dims: request.dims.clone(),
            usual: Vec::new(),
            types: Vec::new(),
            fixed_rows: None,
            notes: Vec::new(),
        };
        feeder.check_dims()?;
        match (layout, &request.data) {
            (Some(layout), data) => {
                let table = data.as_deref().map(|path| read_table(model, &columns, path)).transpose()?;
                feeder.fixed_rows = layout.fixed_rows;
                feeder.notes.push(match (data, &table) {
                    (Some(path), Some(table)) => format!("inputs are rows of {} ({} of them)", path.display(), table.good_rows.len()),
                    _ => format!("inputs are drawn from the columns' usual values (seed {})", request.seed),
                });
                feeder.source = Source::Columns(Box::new(Columns { columns, layout, table }));
            }
            (None, Some(path)) => {
                let reason = "the model's inputs are no columns, so no table can feed it; leave --data out";
                return Err(ProfileError::Unsuitable(format!("{}: {reason}", path.display())));
            }
            (None, None) => {
                feeder.types = infer_types(&model.model.graph, &BuiltOperators::new(&model.model)).0;
                feeder.fixed_rows = feeder.batch_of_shapes();
                feeder.notes.push(format!("inputs are random tensors of the declared shapes (seed {})", request.seed));
                feeder.set_usual_dimensions();
            }
        }
        Ok(feeder)
    }

    /// The inputs of one run over `n_rows`.
    pub fn feed(&self, n_rows: usize) -> Result<Vec<(String, Value)>, ProfileError> {
        let mut random = Random::new(self.seed);
        match &self.source {
            Source::Columns(source) => {
                let Columns { columns, layout, table } = &**source;
                let mut rows = InputRows::new(layout, n_rows).map_err(ProfileError::Unsuitable)?;
                for row in 0..n_rows {
                    let pushed = match table {
                        Some(table) => {
                            let row = table.good_rows[row % table.good_rows.len()];
                            rows.push(|feature| table.rows.cell(row, table.places[feature]))
                        }
                        None => rows.push(|feature| drawn(&columns[feature], &mut random)),
                    };
                    pushed.map_err(|refused| {
                        let column = columns.get(refused.feature).map_or("", |column| column.name.as_str());
                        ProfileError::Unsuitable(format!("row {}, column '{column}': {}", row + 1, refused.message))
                    })?;
                }
                Ok(rows.finish(0)?)
            }
            Source::Tensors => {
                let graph = &self.model.model.graph;
                graph.required_inputs().map(|id| Ok((graph.value(id).name.clone(), self.tensor(id, n_rows, &mut random)?))).collect()
            }
        }
    }

    /// A dimension that is named has to be one of the model's.
    fn check_dims(&self) -> Result<(), ProfileError> {
        let symbols = self.symbols();
        for (name, _) in &self.dims {
            if !symbols.iter().any(|symbol| symbol == name) {
                let hint = did_you_mean(name, symbols.iter().map(String::as_str));
                let known = if symbols.is_empty() { "none".to_owned() } else { names(symbols.iter().map(String::as_str)) };
                return Err(ProfileError::Unsuitable(format!("--dim: the inputs have no dimension '{name}'{hint}; those left open are {known}")));
            }
        }
        Ok(())
    }

    /// Dimensions that the model's inputs leave open by name.
    fn symbols(&self) -> Vec<String> {
        let mut symbols = Vec::new();
        for dim in self.model.model.graph.required_inputs().filter_map(|id| self.dims_of(id)).flatten() {
            if let Dimension::Symbol(name) = dim
                && !symbols.contains(name)
            {
                symbols.push(name.clone());
            }
        }
        symbols
    }

    fn dims_of(&self, id: ValueId) -> Option<&'a [Dimension]> {
        self.model.model.graph.value(id).value_type.as_ref()?.as_tensor()?.1.dims()
    }

    /// The symbol that stands for the number of rows: the first dimension of the first input that has one, unless it was set by hand.
    fn batch_symbol(&self) -> Option<&'a str> {
        let first = self.model.model.graph.required_inputs().find_map(|id| self.dims_of(id)?.first())?;
        match first {
            Dimension::Symbol(name) if !self.dims.iter().any(|(set, _)| set == name) => Some(name),
            _ => None,
        }
    }

    fn batch_of_shapes(&self) -> Option<usize> {
        let first = self.model.model.graph.required_inputs().find_map(|id| self.dims_of(id)?.first())?;
        match first {
            Dimension::Symbol(name) => self.dims.iter().find(|(set, _)| set == name).map(|(_, size)| *size),
            dim => dim.known(),
        }
    }

    /// Whether something stands in for a dimension, which [`Self::find_dimensions`] has to try out.
    pub fn has_usual_dimensions(&self) -> bool {
        !self.usual.is_empty()
    }

    fn set_usual_dimensions(&mut self) {
        let batch = self.batch_symbol();
        let open = self.symbols().into_iter().filter(|name| Some(name.as_str()) != batch && !self.dims.iter().any(|(set, _)| set == name));
        self.usual = open.map(|name| (name.clone(), usual(&name))).collect();
    }

    /// Makes what stands in for open dimensions smaller until the model takes it: positions of a text, for one, have a limit that only the
    /// weights know. Notes what was set.
    pub fn find_dimensions(&mut self, ctx: &TaskCtx, plan: &Plan) -> Result<(), ProfileError> {
        while !self.usual.is_empty() {
            match plan.run(ctx, self.feed(self.fixed_rows.unwrap_or(1))?) {
                Ok(_) => break,
                Err(error @ RunError::Cancelled(_)) => return Err(error.into()),
                Err(error) if self.usual.iter().all(|(_, size)| *size <= 1) => return Err(error.into()),
                Err(_) => self.usual.iter_mut().for_each(|(_, size)| *size = size.div_ceil(2)),
            }
        }
        let note = |(name, size): &(String, usize)| format!("dimension '{name}' was set to {size} (--dim {name}=N sets another)");
        self.notes.extend(self.usual.iter().map(note));
        Ok(())
    }

    fn size_of(&self, name: &str) -> usize {
        self.dims.iter().chain(&self.usual).find(|(set, _)| set == name).map_or(1, |(_, size)| *size)
    }

    fn tensor(&self, id: ValueId, n_rows: usize, random: &mut Random) -> Result<Value, ProfileError> {
        let graph = &self.model.model.graph;
        let info = graph.value(id);
        let unsuitable =
            |found: String| ProfileError::Unsuitable(format!("the input '{}' is {found}; Drydock makes up tensors of a known rank only", info.name));
        let Some(value_type) = &info.value_type else { return Err(unsuitable("of a type that the model does not tell".to_owned())) };
        let ValueType::Tensor { element_type, .. } = value_type else { return Err(unsuitable(format!("a {value_type}"))) };
        let Some(dims) = self.dims_of(id) else { return Err(unsuitable("a tensor of any rank".to_owned())) };
        let batch = self.batch_symbol();
        let size = |(axis, dim): (usize, &Dimension)| match dim {
            Dimension::Known(size) => *size,
            Dimension::Symbol(name) if Some(name.as_str()) == batch => n_rows,
            Dimension::Symbol(name) => self.size_of(name),
            Dimension::Unknown if axis == 0 => n_rows,
            Dimension::Unknown => 1,
        };
        let shape: Vec<usize> = dims.iter().enumerate().map(size).collect();
        let known = Known { n_indices: self.n_indices(id), word: self.word(id) };
        Ok(Value::Tensor(random_tensor(*element_type, &shape, &known, random)?))
    }

    /// Nodes that read an input, also after it was only cast or given another shape.
    fn readers(&self, id: ValueId) -> Vec<(&'a Node, usize)> {
        let graph = &self.model.model.graph;
        let mut same = vec![id];
        for node in &graph.nodes {
            let hands_on = ["Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Concat", "Gather", "ArrayFeatureExtractor"]
                .contains(&node.op_type.as_str());
            if hands_on && node.inputs.first().copied().flatten().is_some_and(|input| same.contains(&input)) {
                same.extend(node.outputs.first().copied().flatten());
            }
        }
        let place = |node: &Node| node.inputs.iter().position(|input| input.is_some_and(|input| same.contains(&input)));
        graph.nodes.iter().filter_map(|node| Some((node, place(node)?))).collect()
    }

    /// Rows of the table that an input of integers picks from: an embedding's vocabulary.
    fn n_indices(&self, id: ValueId) -> usize {
        let readers = self.readers(id);
        let picking = readers.iter().filter(|(node, place)| node.op_type == "Gather" && *place == 1);
        let rows = picking.filter_map(|(node, _)| {
            let (_, picked_from) = self.types.get((*node.inputs.first()?)?.index())?.as_ref()?.as_tensor()?;
            let axis = node.attributes.int("axis").ok()?.unwrap_or(0);
            picked_from.dims()?.get(usize::try_from(axis).ok()?)?.known()
        });
        // What else integers mean (masks, types of tokens), 0 and 1 are among it.
        rows.min().unwrap_or(2).max(1)
    }

    /// A text that the model knows: one of the categories of an encoder that reads the input.
    fn word(&self, id: ValueId) -> CompactString {
        let readers = self.readers(id);
        let words =
            |node: &Node| ["cats_strings", "keys_strings"].iter().find_map(|name| Some(node.attributes.texts(name).ok()??.first()?.to_string()));
        readers.iter().find_map(|(node, _)| words(node)).map_or(CompactString::const_new("a"), CompactString::from)
    }
}

/// What stands in for a dimension that nobody has set.
fn usual(name: &str) -> usize {
    let name = name.to_lowercase();
    let has = |word: &str| name.contains(word);
    if has("past") {
        0
    } else if has("seq") || has("len") || has("token") {
        128
    } else if has("height") || has("width") {
        224
    } else {
        1
    }
}

/// What the graph tells of an input's elements.
struct Known {
    n_indices: usize,
    word: CompactString,
}

fn random_tensor(element_type: ElementType, shape: &[usize], known: &Known, random: &mut Random) -> Result<Tensor, ProfileError> {
    let n = shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim)).filter(|n| *n <= MAX_ELEMENTS);
    let Some(n) = n else { return Err(ProfileError::Unsuitable(format!("an input of shape {shape:?} is too large to be made up"))) };
    if n == 0 {
        return Ok(Tensor::empty(element_type, shape));
    }
    macro_rules! integers {
        ($type:ty) => {
            Tensor::from_vec(shape, (0..n).map(|_| random.below(known.n_indices.min(<$type>::MAX as usize)) as $type).collect())
        };
    }
    let tensor = match element_type {
        ElementType::F32 => Tensor::from_vec(shape, (0..n).map(|_| random.normal() as f32).collect()),
        ElementType::F64 => Tensor::from_vec(shape, (0..n).map(|_| random.normal()).collect()),
        ElementType::F16 => Tensor::from_vec(shape, (0..n).map(|_| half::f16::from_f64(random.normal())).collect()),
        ElementType::Bf16 => Tensor::from_vec(shape, (0..n).map(|_| half::bf16::from_f64(random.normal())).collect()),
        ElementType::I64 => integers!(i64),
        ElementType::I32 => integers!(i32),
        ElementType::I16 => integers!(i16),
        ElementType::I8 => integers!(i8),
        ElementType::U64 => integers!(u64),
        ElementType::U32 => integers!(u32),
        ElementType::U16 => integers!(u16),
        ElementType::U8 => integers!(u8),
        ElementType::Bool => Tensor::from_vec(shape, (0..n).map(|_| crate::host::Bool::new(random.below(2) == 1)).collect()),
        ElementType::String => Tensor::from_strings(shape, Arc::from(vec![known.word.clone(); n])),
        other => Err(TensorError::NotComputable(other)),
    };
    Ok(tensor?)
}

/// 4 GiB of float32.
const MAX_ELEMENTS: usize = 1 << 30;

/// A cell as the column's contract suggests it.
fn drawn<'c>(column: &'c Column, random: &mut Random) -> Cell<'c> {
    if !column.categories.is_empty() {
        let category = &column.categories[random.below(column.categories.len())];
        return Cell::Text(category.as_str().into());
    }
    match (column.kind, column.usual_range()) {
        (ColumnKind::Number, Some((min, max))) => Cell::Number(min + (max - min) * random.unit()),
        (ColumnKind::Number, None) => Cell::Number(random.normal()),
        (ColumnKind::Integer, Some((min, max))) => Cell::Integer((min + (max - min) * random.unit()).round() as i64),
        (ColumnKind::Integer, None) => Cell::Integer(random.below(10) as i64),
        (ColumnKind::Boolean, _) => Cell::Boolean(random.below(2) == 1),
        (ColumnKind::Text, _) => Cell::Text(column.default.as_deref().unwrap_or("a").into()),
    }
}

/// The first block of a table; more rows than that are not needed to know how long they take.
fn read_table(model: &OpenModel, columns: &[Column], path: &Path) -> Result<Table, ProfileError> {
    let mut reader = TableReader::open(path)?;
    let schema = Arc::clone(&reader.schema);
    let places = places(model, columns, &schema)?;
    reader.project(&places);
    let schema = Arc::clone(&reader.schema);
    let no_rows = || ProfileError::Unsuitable(format!("{}: the table has no rows that could be used", path.display()));
    let block = reader.next_block(Vec::new())?.ok_or_else(no_rows)?;
    let rows = schema.parse(block, &places)?;
    let bad: Vec<usize> = rows.bad_rows().iter().map(|bad| bad.row).collect();
    let good_rows: Vec<usize> = (0..rows.n_rows()).filter(|row| !bad.contains(row)).collect();
    if good_rows.is_empty() { Err(no_rows()) } else { Ok(Table { rows, places, good_rows }) }
}

/// Where the contract's columns stand in the table: by name, or in the order of the file where the model only has one input and no contract.
fn places(model: &OpenModel, columns: &[Column], schema: &TableSchema) -> Result<Vec<usize>, ProfileError> {
    let known = || schema.columns.iter().map(|column| column.name.as_str());
    let by_name: Vec<Option<usize>> = columns.iter().map(|column| schema.column_index(&column.name)).collect();
    if let Some(places) = by_name.iter().copied().collect::<Option<Vec<usize>>>() {
        return Ok(places);
    }
    if model.contract_source == ContractSource::Signature && schema.columns.len() == columns.len() {
        return Ok((0..columns.len()).collect());
    }
    let missing = columns.iter().zip(&by_name).find(|(_, place)| place.is_none()).map_or("", |(column, _)| column.name.as_str());
    let hint = did_you_mean(missing, known());
    let path = schema.path.display();
    Err(ProfileError::Unsuitable(format!("{path}: there is no column '{missing}'{hint}, which the model needs; the columns are {}", names(known()))))
}

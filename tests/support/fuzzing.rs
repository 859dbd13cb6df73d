//! Models damaged at random, and what must hold of them whatever the damage: they load or they don't, they run or they fail with an error,
//! but nothing panics. Shared by the stable tests (`tests/core/fuzz.rs`) and the cargo-fuzz targets (`fuzz/`).

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use drydock_core::engine::{Plan, PlanOptions, RunError};
use drydock_core::graph::infer::infer_types;
use drydock_core::graph::{Attribute, Dimension, Graph, Model, Node, ValueId, ValueType};
use drydock_core::host::{ElementType, HostTensor};
use drydock_core::onnx;
use drydock_core::ops::inference::BuiltOperators;
use drydock_core::ops::registrations;
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{MapKey, Tensor, Value};

/// Results above this are refused: a damaged model may ask for anything, and has a right to some memory.
const MAX_RESULT_BYTES: u128 = 64 << 20;

/// Inputs stay small, so that a run's time is the operators' own doing.
const MAX_INPUT_ELEMENTS: usize = 1 << 12;

/// A generator of random choices that depend on a seed alone (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not begin alike, and 0 would stay 0.
        Self((seed ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// A number below `n`; 0 if there is none.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    fn int(&mut self) -> i64 {
        const ODD: [i64; 10] = [i64::MIN, -(1 << 31), -5, 7, 255, 65_536, 1 << 31, 1 << 40, i64::MAX - 1, i64::MAX];
        if self.one_in(3) { *self.pick(&ODD) } else { self.below(7) as i64 - 2 }
    }

    fn float(&mut self) -> f32 {
        const ODD: [f32; 8] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::MAX, f32::MIN_POSITIVE, 1e10, -1e-10];
        if self.one_in(8) { *self.pick(&ODD) } else { self.below(2001) as f32 / 500.0 - 2.0 }
    }

    fn dim(&mut self) -> usize {
        if self.one_in(12) { 0 } else { 1 + self.below(5) }
    }

    fn shape(&mut self) -> Vec<usize> {
        (0..self.below(5)).map(|_| self.dim()).collect()
    }

    fn element_type(&mut self) -> ElementType {
        self.pick(&ElementType::ALL).1
    }
}

/// Changes a file's bytes in a few places.
pub fn damage_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let n_places = if random.one_in(4) { 1 + random.below(6) } else { 1 };
    for _ in 0..n_places {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.bits() as u8),
            2 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            3 => {
                let end = (at + random.below(64)).min(bytes.len());
                let copied = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copied);
            }
            4 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            5 if !bytes.is_empty() => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
            _ if !bytes.is_empty() => bytes[at] = random.bits() as u8,
            _ => {}
        }
    }
}

/// Changes a model in a few places, as a faulty exporter or an attacker would: it stays a model, but not the same.
pub fn damage_model(model: &mut Model, random: &mut Random) {
    for _ in 0..=random.below(3) {
        if random.one_in(12) {
            if let Some(opset) = model.opset_imports.values_mut().next() {
                *opset = 1 + random.below(28) as i64;
            }
            continue;
        }
        damage_graph(&mut model.graph, &mut model.opset_imports, random);
    }
}

fn damage_graph(graph: &mut Graph, opsets: &mut std::collections::BTreeMap<String, i64>, random: &mut Random) {
    match random.below(10) {
        0 | 1 => damage_initializer(graph, random),
        2 => {
            let inputs = graph.inputs.clone();
            if !inputs.is_empty() {
                let id = *random.pick(&inputs);
                let value_type = random_type(random);
                graph.value_mut(id).value_type = Some(value_type);
            }
        }
        _ if graph.nodes.is_empty() => {}
        choice => {
            let n_values = graph.values().len();
            let fresh = if choice == 3 { Some(graph.fresh_value("fuzz")) } else { None };
            let index = random.below(graph.nodes.len());
            let node = &mut graph.nodes[index];
            if random.one_in(3)
                && let Some(inner) = node.subgraphs_mut().next()
            {
                return damage_graph(Arc::make_mut(inner), opsets, random);
            }
            match choice {
                3 => node.outputs.push(fresh),
                4 => swap_operator(node, opsets, random),
                5 | 6 => damage_wiring(node, n_values, random),
                _ => damage_attribute(node, random),
            }
        }
    }
}

fn swap_operator(node: &mut Node, opsets: &mut std::collections::BTreeMap<String, i64>, random: &mut Random) {
    let all: Vec<_> = registrations().collect();
    let other = random.pick(&all);
    (node.domain, node.op_type) = (other.domain.to_owned(), other.op_type.to_owned());
    opsets.entry(node.domain.clone()).or_insert(other.opsets.first.max(1));
}

fn damage_wiring(node: &mut Node, n_values: usize, random: &mut Random) {
    let any = |random: &mut Random| Some(ValueId(random.below(n_values) as u32));
    let at = random.below(node.inputs.len());
    match random.below(6) {
        0 => node.inputs.push(any(random)),
        1 => node.inputs.truncate(at),
        2 => node.outputs.truncate(node.outputs.len().saturating_sub(1)),
        _ if node.inputs.is_empty() => {}
        3 => node.inputs[at] = None,
        4 => {
            let from = random.below(node.inputs.len());
            node.inputs[at] = node.inputs[from];
        }
        _ => node.inputs[at] = any(random),
    }
}

fn damage_attribute(node: &mut Node, random: &mut Random) {
    let names: Vec<String> = node.attributes.0.keys().cloned().collect();
    if names.is_empty() {
        const COMMON: [&str; 12] =
            ["axis", "axes", "keepdims", "group", "pads", "strides", "dilations", "kernel_shape", "perm", "to", "mode", "ceil_mode"];
        let value =
            if random.one_in(2) { Attribute::Int(random.int()) } else { Attribute::Ints((0..random.below(5)).map(|_| random.int()).collect()) };
        node.attributes.0.insert((*random.pick(&COMMON)).to_owned(), value);
        return;
    }
    let name = random.pick(&names);
    if random.one_in(6) {
        node.attributes.0.remove(name);
        return;
    }
    let Some(attribute) = node.attributes.0.get_mut(name) else { return };
    match attribute {
        Attribute::Int(value) => *value = random.int(),
        Attribute::Float(value) => *value = random.float(),
        Attribute::Ints(values) => damage_list(values, random, Random::int),
        Attribute::Floats(values) => damage_list(values, random, Random::float),
        Attribute::String(text) => *text = random_text(random).into(),
        Attribute::Strings(texts) => damage_list(texts, random, |random| random_text(random).into()),
        Attribute::Tensor(tensor) => *tensor = damaged_tensor(tensor, random),
        other => *other = Attribute::Int(random.int()),
    }
}

fn damage_list<T>(values: &mut Vec<T>, random: &mut Random, mut make: impl FnMut(&mut Random) -> T) {
    let at = random.below(values.len());
    match random.below(4) {
        0 => values.truncate(values.len().saturating_sub(1)),
        1 => {
            let value = make(random);
            values.push(value);
        }
        _ if values.is_empty() => {}
        _ => values[at] = make(random),
    }
}

fn random_text(random: &mut Random) -> Vec<u8> {
    const TEXTS: [&str; 14] = [
        "",
        "NOTSET",
        "SAME_UPPER",
        "SAME_LOWER",
        "VALID",
        "linear",
        "nearest",
        "cubic",
        "BRANCH_LEQ",
        "SOFTMAX",
        "reverse",
        "none",
        "ij,jk->ik",
        "é\u{1F600}",
    ];
    if random.one_in(8) { (0..random.below(9)).map(|_| random.bits() as u8).collect() } else { random.pick(&TEXTS).as_bytes().to_vec() }
}

fn damage_initializer(graph: &mut Graph, random: &mut Random) {
    let ids: Vec<ValueId> = graph.initializers.keys().copied().collect();
    if ids.is_empty() {
        return;
    }
    if let Some(initializer) = graph.initializers.get_mut(random.pick(&ids)) {
        initializer.tensor = damaged_tensor(&initializer.tensor, random);
    }
}

/// Another shape, another type, or other elements.
fn damaged_tensor(tensor: &HostTensor, random: &mut Random) -> HostTensor {
    let (mut element_type, mut shape) = (tensor.element_type(), tensor.shape().to_vec());
    match random.below(4) {
        0 => element_type = random.element_type(),
        1 => shape = random.shape(),
        2 if !shape.is_empty() => {
            let axis = random.below(shape.len());
            shape[axis] = random.dim();
        }
        _ => {}
    }
    if shape.iter().product::<usize>() > MAX_INPUT_ELEMENTS {
        shape = random.shape();
    }
    random_tensor(element_type, &shape, random)
}

fn random_tensor(element_type: ElementType, shape: &[usize], random: &mut Random) -> HostTensor {
    let n = shape.iter().product::<usize>();
    let dims = shape.to_vec();
    let made = match element_type {
        ElementType::F32 => HostTensor::from_vec(dims, &(0..n).map(|_| random.float()).collect::<Vec<f32>>()),
        ElementType::F64 => HostTensor::from_vec(dims, &(0..n).map(|_| f64::from(random.float())).collect::<Vec<f64>>()),
        ElementType::I64 => HostTensor::from_vec(dims, &(0..n).map(|_| random.int()).collect::<Vec<i64>>()),
        ElementType::I32 => HostTensor::from_vec(dims, &(0..n).map(|_| random.int() as i32).collect::<Vec<i32>>()),
        ElementType::String => {
            let text = |random: &mut Random| String::from_utf8_lossy(&random_text(random)).as_ref().into();
            HostTensor::from_strings(dims, (0..n).map(|_| text(random)).collect())
        }
        ElementType::Bool => HostTensor::from_bytes(element_type, dims, (0..n).map(|_| random.below(2) as u8).collect::<Vec<_>>().into()),
        other => {
            let n_bytes = other.bytes_for(n).unwrap_or(0);
            HostTensor::from_bytes(other, dims, (0..n_bytes).map(|_| random.bits() as u8).collect::<Vec<_>>().into())
        }
    };
    made.unwrap()
}

fn random_type(random: &mut Random) -> ValueType {
    let dim = |random: &mut Random| match random.below(4) {
        0 => Dimension::Unknown,
        1 => Dimension::Symbol("n".to_owned()),
        _ => Dimension::Known(random.dim()),
    };
    let element_type = if random.one_in(2) { ElementType::F32 } else { random.element_type() };
    let dims: Vec<Dimension> = (0..random.below(5)).map(|_| dim(random)).collect();
    ValueType::tensor(element_type, dims)
}

/// What became of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The file was refused.
    NotLoaded,
    /// The model was refused, or takes inputs that can't be made.
    NotPlanned,
    /// The run ended in an error.
    Failed,
    /// A loop without an end, or nearly so, which stopped when it was told to.
    Endless,
    Ran,
}

/// Loads a model and finds its types. `None` if the file is refused.
pub fn load(bytes: &[u8]) -> Option<Model> {
    let model = onnx::load_bytes(Path::new("fuzz/model.onnx"), bytes::Bytes::copy_from_slice(bytes)).ok()?;
    let _ = infer_types(&model.graph, &BuiltOperators::new(&model));
    Some(model)
}

/// Compiles a model and runs it on random inputs; what takes longer than `patience` is cancelled. `Err` for a panic, though the engine
/// contained it, and for a run that was cancelled without having a loop.
pub fn run(model: &Model, random: &mut Random, patience: Duration) -> Result<End, String> {
    let ctx = TaskCtx::unattended();
    let Some(inputs_and_plan) = prepare(&ctx, model, random) else { return Ok(End::NotPlanned) };
    let (plan, inputs) = inputs_and_plan;
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let result = std::thread::scope(|scope| {
        let token = ctx.cancel_token().clone();
        scope.spawn(move || {
            if is_done.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                token.cancel();
            }
        });
        let result = plan.run(&ctx, inputs);
        drop(done);
        result
    });
    match result {
        Ok(_) => Ok(End::Ran),
        Err(RunError::Panicked { node, operator, inputs, message }) => Err(format!("node '{node}' ({operator}) with {inputs} panicked: {message}")),
        Err(RunError::Cancelled(_)) if has_loop(&model.graph) => Ok(End::Endless),
        Err(RunError::Cancelled(_)) => Err(format!("a run without a loop took more than {patience:?}")),
        Err(_) => Ok(End::Failed),
    }
}

/// Whether a graph, or one inside it, may go round as often as it likes.
fn has_loop(graph: &Graph) -> bool {
    graph.nodes.iter().any(|node| node.op_type == "Loop" || node.subgraphs().any(|inner| has_loop(inner)))
}

/// The plan of a model, and random inputs for it.
fn prepare(ctx: &TaskCtx, model: &Model, random: &mut Random) -> Option<(Plan, Vec<(String, Value)>)> {
    let options = PlanOptions { max_result_bytes: MAX_RESULT_BYTES, ..PlanOptions::default() };
    let plan = Plan::compile(ctx, model, &options).ok()?;
    let mut inputs = Vec::new();
    for input in plan.inputs().iter().filter(|input| !input.is_optional) {
        inputs.push((input.name.clone(), random_value(input.value_type.as_ref()?, random)?));
    }
    Some((plan, inputs))
}

/// A value of a type; `None` for types that can't be made, and for shapes that are too large.
fn random_value(value_type: &ValueType, random: &mut Random) -> Option<Value> {
    Some(match value_type {
        ValueType::Tensor { element_type, shape } => {
            let dims: Vec<usize> = match shape.dims() {
                Some(dims) => dims.iter().map(|dim| dim.known().unwrap_or_else(|| random.dim())).collect(),
                None => random.shape(),
            };
            dims.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim)).filter(|&n| n <= MAX_INPUT_ELEMENTS)?;
            Value::Tensor(Tensor::from_host(&random_tensor(*element_type, &dims, random)).ok()?)
        }
        ValueType::Sequence(inner) => Value::Sequence((0..random.below(4)).map(|_| random_value(inner, random)).collect::<Option<_>>()?),
        ValueType::Optional(_) if random.one_in(2) => Value::Absent,
        ValueType::Optional(inner) => random_value(inner, random)?,
        ValueType::Map { key, value } => {
            let key = |index: i64| if *key == ElementType::String { MapKey::Text(index.to_string().into()) } else { MapKey::Int(index) };
            Value::Map((0..3).map(|index| Some((key(index), random_value(value, random)?))).collect::<Option<_>>()?)
        }
        ValueType::SparseTensor { .. } => return None,
    })
}

//! For the tests of operators: builds one by name, opset and attributes, and runs it.
//!
//! ```ignore
//! let y = op("Clip").opset(6).float("min", 0.0).run1([tensor(&[2], &[-1.0_f32, 1.0])]);
//! assert_tensor(&y, &[2], &[0.0_f32, 1.0]);
//! ```

use std::sync::Arc;

use compact_str::CompactString;

use super::{Inputs, NodeContext, OpError, Operator, RunContext, find};
use crate::graph::infer::InferInputs;
use crate::graph::{Attribute, Attributes, ValueType};
use crate::host::{Bool, Element, HostTensor};
use crate::task::TaskCtx;
use crate::tensor::{Device, Tensor, Value};

/// A node to be. `opset` is 21 and there is one output unless told otherwise.
#[derive(Clone)]
pub struct Case {
    op_type: &'static str,
    domain: &'static str,
    opset: i64,
    attributes: Attributes,
    n_outputs: usize,
    constants: Vec<Option<HostTensor>>,
    max_result_bytes: u128,
}

pub fn op(op_type: &'static str) -> Case {
    Case { op_type, domain: "", opset: 21, attributes: Attributes::default(), n_outputs: 1, constants: Vec::new(), max_result_bytes: 1 << 30 }
}

impl Case {
    /// An operator of `ai.onnx.ml` at opset 3.
    pub fn ml(mut self) -> Self {
        (self.domain, self.opset) = ("ai.onnx.ml", 3);
        self
    }

    /// An operator of `com.microsoft`.
    pub fn contrib(mut self) -> Self {
        (self.domain, self.opset) = ("com.microsoft", 1);
        self
    }

    pub fn opset(mut self, opset: i64) -> Self {
        self.opset = opset;
        self
    }

    pub fn outputs(mut self, n_outputs: usize) -> Self {
        self.n_outputs = n_outputs;
        self
    }

    pub fn max_result_bytes(mut self, bytes: u128) -> Self {
        self.max_result_bytes = bytes;
        self
    }

    pub fn attribute(mut self, name: &str, attribute: Attribute) -> Self {
        self.attributes.0.insert(name.to_owned(), attribute);
        self
    }

    pub fn int(self, name: &str, value: i64) -> Self {
        self.attribute(name, Attribute::Int(value))
    }

    pub fn float(self, name: &str, value: f32) -> Self {
        self.attribute(name, Attribute::Float(value))
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        self.attribute(name, Attribute::String(bytes::Bytes::copy_from_slice(value.as_bytes())))
    }

    pub fn ints(self, name: &str, values: &[i64]) -> Self {
        self.attribute(name, Attribute::Ints(values.to_vec()))
    }

    pub fn floats(self, name: &str, values: &[f32]) -> Self {
        self.attribute(name, Attribute::Floats(values.to_vec()))
    }

    pub fn texts(self, name: &str, values: &[&str]) -> Self {
        self.attribute(name, Attribute::Strings(values.iter().map(|value| bytes::Bytes::copy_from_slice(value.as_bytes())).collect()))
    }

    pub fn tensor(self, name: &str, value: &Tensor) -> Self {
        let value = value.to_host().unwrap();
        self.attribute(name, Attribute::Tensor(value))
    }

    /// Makes input `index` a constant of the graph, as building and inference see it. Running still needs it among the inputs.
    pub fn constant(mut self, index: usize, value: &Tensor) -> Self {
        self.constants.resize(self.constants.len().max(index + 1), None);
        self.constants[index] = Some(value.to_host().unwrap());
        self
    }

    /// Builds the operator for `n_inputs` inputs.
    pub fn build(&self, n_inputs: usize) -> Result<Box<dyn Operator>, OpError> {
        let registration = find(self.domain, self.op_type, self.opset)
            .unwrap_or_else(|reason| panic!("{} is not registered for opset {}: {reason:?}", self.op_type, self.opset));
        self.with_context(n_inputs, |context| (registration.build)(context))
    }

    /// Calls a constructor as the registry would, for tests that look inside an operator.
    pub fn with_context<T>(&self, n_inputs: usize, build: impl FnOnce(&NodeContext<'_>) -> T) -> T {
        let constants: Vec<_> = (0..n_inputs).map(|index| self.constants.get(index).and_then(Option::as_ref)).collect();
        build(&NodeContext {
            op_type: self.op_type,
            attributes: &self.attributes,
            opset: self.opset,
            n_inputs,
            n_outputs: self.n_outputs,
            constants: &constants,
            bodies: &[],
        })
    }

    /// Builds and runs; `None` is an optional input left out.
    pub fn run_values(&self, inputs: Vec<Option<Value>>) -> Result<Vec<Value>, OpError> {
        let operator = self.build(inputs.len())?;
        let device = Device::Cpu;
        let context = RunContext { device: &device, max_result_bytes: self.max_result_bytes, task: &TaskCtx::unattended() };
        Ok(operator.run(Inputs::new(inputs.into()), &context)?.into_vec())
    }

    pub fn try_run(&self, inputs: impl IntoIterator<Item = Tensor>) -> Result<Vec<Tensor>, OpError> {
        let outputs = self.run_values(inputs.into_iter().map(|tensor| Some(Value::Tensor(tensor))).collect())?;
        assert_eq!(outputs.len(), self.n_outputs, "number of outputs");
        Ok(outputs.into_iter().map(|value| value.into_tensor().expect("a tensor output")).collect())
    }

    /// Runs on tensors and returns the only output.
    pub fn run1(&self, inputs: impl IntoIterator<Item = Tensor>) -> Tensor {
        self.try_run(inputs).unwrap_or_else(|error| panic!("{}: {error}", self.op_type)).remove(0)
    }

    /// The sentence with which the operator refuses these inputs, at building or at running.
    pub fn error(&self, inputs: impl IntoIterator<Item = Tensor>) -> String {
        match self.try_run(inputs) {
            Ok(outputs) => panic!("{} was expected to fail, but gave {outputs:?}", self.op_type),
            Err(error) => error.to_string(),
        }
    }

    /// Inferred types of the outputs, as text; `None` where nothing is known.
    pub fn infer(&self, types: impl IntoIterator<Item = ValueType>) -> Vec<Option<String>> {
        let types: Vec<_> = types.into_iter().map(Some).collect();
        let constants = (0..types.len()).map(|index| self.constants.get(index).and_then(Option::as_ref)).collect();
        let operator = self.build(types.len()).unwrap();
        let inferred = operator.infer(&InferInputs { types, constants, n_outputs: self.n_outputs }).unwrap();
        inferred.into_iter().map(|inferred| inferred.map(|inferred| inferred.to_string())).collect()
    }
}

/// A tensor of `T`.
pub fn tensor<T: Element>(shape: &[usize], values: &[T]) -> Tensor {
    Tensor::from_vec(shape, values.to_vec()).unwrap()
}

/// float32 numbers that go up and down between -1.25 and 1.25: element `i` is `((7 i mod 11) - 5) / 4`.
pub fn ramp(shape: &[usize]) -> Tensor {
    let n_elements = shape.iter().product::<usize>();
    Tensor::from_vec(shape, (0..n_elements).map(|index| ((index * 7 % 11) as f32 - 5.0) / 4.0).collect()).unwrap()
}

pub fn bools(shape: &[usize], values: &[bool]) -> Tensor {
    Tensor::from_vec(shape, values.iter().map(|&value| Bool::new(value)).collect()).unwrap()
}

pub fn strings(shape: &[usize], values: &[&str]) -> Tensor {
    let strings: Arc<[CompactString]> = values.iter().copied().map(CompactString::from).collect();
    Tensor::from_strings(shape, strings).unwrap()
}

/// A tensor type: `typed::<f32>("batch, 3, ?")`.
pub fn typed<T: Element>(dims: &str) -> ValueType {
    use crate::graph::Dimension;
    let dims: Vec<Dimension> = dims
        .split(',')
        .map(str::trim)
        .filter(|dim| !dim.is_empty())
        .map(|dim| match dim.parse() {
            Ok(dim) => Dimension::Known(dim),
            Err(_) if dim == "?" => Dimension::Unknown,
            Err(_) => Dimension::Symbol(dim.to_owned()),
        })
        .collect();
    ValueType::tensor(T::ELEMENT_TYPE, dims)
}

/// Asserts shape, element type and exact elements (NaN equals NaN).
#[track_caller]
pub fn assert_tensor<T: Element>(actual: &Tensor, shape: &[usize], expected: &[T]) {
    assert_eq!(actual.shape(), shape);
    let actual = actual.as_slice::<T>().unwrap();
    // Debug text rather than ==, so that NaN equals NaN.
    assert_eq!(format!("{actual:?}"), format!("{expected:?}"));
}

#[track_caller]
pub fn assert_bools(actual: &Tensor, shape: &[usize], expected: &[bool]) {
    assert_tensor(actual, shape, &expected.iter().map(|&value| Bool::new(value)).collect::<Vec<_>>());
}

#[track_caller]
pub fn assert_strings(actual: &Tensor, shape: &[usize], expected: &[&str]) {
    assert_eq!(actual.shape(), shape);
    assert_eq!(actual.as_strings().unwrap().iter().map(CompactString::as_str).collect::<Vec<_>>(), expected);
}

/// Asserts shape and float32 elements within `|actual − expected| ≤ 1e-6 + 1e-5·|expected|`.
#[track_caller]
pub fn assert_close(actual: &Tensor, shape: &[usize], expected: &[f32]) {
    assert_eq!(actual.shape(), shape);
    let actual = actual.as_slice::<f32>().unwrap();
    assert_eq!(actual.len(), expected.len());
    for (index, (&actual, &expected)) in actual.iter().zip(expected).enumerate() {
        let is_close = actual == expected || (actual.is_nan() && expected.is_nan()) || (actual - expected).abs() <= 1e-6 + 1e-5 * expected.abs();
        assert!(is_close, "element {index}: {actual} against {expected}");
    }
}

//! A convolution or a matrix product with what follows it: FusedConv, FusedGemm, FusedMatMul.

use burn::backend::ops::FloatTensorOps as _;

use super::{STANDARD_OPSET, attributes, run_one, standard, standard_with};
use crate::graph::infer::InferInputs;
use crate::graph::{Attribute, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::ops::elementwise::pointwise::map_floats;
use crate::ops::operator::{Outputs, single};
use crate::ops::types::TypeSet;
use crate::ops::{Inputs, NodeContext, OpError, Operator, Placement, RunContext, movement};
use crate::tensor::{Backend, Tensor};

/// A linear operator, an optional addend and an activation.
#[derive(Debug)]
struct Fused {
    linear: Box<dyn Operator>,
    /// The input that is added to the result of the linear operator.
    addend: Option<usize>,
    add: Box<dyn Operator>,
    activation: Option<Box<dyn Operator>>,
}

/// Conv(X, W, B) + Z, then the activation with its `activation_params`.
pub fn build_conv(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let params = node.attributes.floats("activation_params")?.unwrap_or_default();
    let name = node.attributes.text("activation")?.unwrap_or_default();
    let names: &[&str] = match name {
        "LeakyRelu" => &["alpha"],
        "HardSigmoid" => &["alpha", "beta"],
        "Clip" => &["min", "max"],
        _ => &[],
    };
    let params = names.iter().copied().zip(params.iter().copied());
    Ok(Box::new(Fused {
        linear: standard_with("Conv", STANDARD_OPSET, node.attributes, 1, node.constants.get(..3).unwrap_or(node.constants))?,
        addend: (node.n_inputs > 3).then_some(3),
        add: standard("Add", STANDARD_OPSET, &attributes([]), 2, 1)?,
        activation: activation(name, params)?,
    }))
}

/// Gemm(A, B, C), then the activation with `activation_alpha`, `_beta` and `_gamma`.
pub fn build_gemm(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let mut params = Vec::new();
    for (attribute, name) in [("activation_alpha", "alpha"), ("activation_beta", "beta"), ("activation_gamma", "gamma")] {
        params.extend(node.attributes.float(attribute)?.map(|value| (name, value)));
    }
    Ok(Box::new(Fused {
        linear: standard_with("Gemm", STANDARD_OPSET, node.attributes, 1, node.constants)?,
        addend: None,
        add: standard("Add", STANDARD_OPSET, &attributes([]), 2, 1)?,
        activation: activation(node.attributes.text("activation")?.unwrap_or_default(), params)?,
    }))
}

fn activation<'a>(name: &str, params: impl IntoIterator<Item = (&'a str, f32)>) -> Result<Option<Box<dyn Operator>>, OpError> {
    let mut attributes = attributes([]);
    attributes.0.extend(params.into_iter().map(|(name, value)| (name.to_owned(), Attribute::Float(value))));
    let known = |op_type: &'static str| standard(op_type, STANDARD_OPSET, &attributes, 1, 1).map(Some);
    match name {
        "" => Ok(None),
        "Relu" => known("Relu"),
        "Tanh" => known("Tanh"),
        "Sigmoid" => known("Sigmoid"),
        "LeakyRelu" => known("LeakyRelu"),
        "HardSigmoid" => known("HardSigmoid"),
        "HardSwish" => known("HardSwish"),
        "Elu" => known("Elu"),
        "Selu" => known("Selu"),
        "Softplus" => known("Softplus"),
        "Softsign" => known("Softsign"),
        "ThresholdedRelu" => known("ThresholdedRelu"),
        "Gelu" => known("Gelu"),
        // The bounds were attributes until opset 11.
        "Clip" => standard("Clip", 6, &attributes, 1, 1).map(Some),
        other => Err(OpError::unsupported(format!("the fused activation '{other}'"))),
    }
}

impl Operator for Fused {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        self.linear.infer(inputs)
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let operands = [inputs.take_optional_tensor(0, "A")?, inputs.take_optional_tensor(1, "B")?, inputs.take_optional_tensor(2, "C")?];
        let addend = match self.addend {
            Some(index) => inputs.take_optional_tensor(index, "Z")?,
            None => None,
        };
        let mut result = run_one(self.linear.as_ref(), operands, context)?;
        if let Some(addend) = addend {
            if addend.shape() != result.shape() {
                return Err(OpError::shape(format!("the addend has shape {:?}, but the convolution makes {:?}", addend.shape(), result.shape())));
            }
            result = run_one(self.add.as_ref(), [Some(result), Some(addend)], context)?;
        }
        if let Some(activation) = &self.activation {
            result = run_one(activation.as_ref(), [Some(result)], context)?;
        }
        Ok(single(result))
    }

    fn placement(&self) -> Placement {
        self.linear.placement()
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        self.linear.macs(inputs, outputs)
    }
}

/// `alpha · A' · B'`, where a side may come with its last two axes swapped, and with its first axis moved behind the batch.
#[derive(Debug)]
struct FusedMatMul {
    product: Box<dyn Operator>,
    alpha: f32,
    left: Orientation,
    right: Orientation,
}

/// How a side of a product lies in memory.
#[derive(Debug, Clone, Copy, Default)]
struct Orientation {
    is_transposed: bool,
    /// The first axis belongs before the last one: `[rows, batch…, columns]`.
    is_batch_inside: bool,
}

pub fn build_matmul(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let is_set = |name: &str| Ok::<_, OpError>(node.attributes.int(name)?.unwrap_or(0) != 0);
    let (left, right) = (
        Orientation { is_transposed: is_set("transA")?, is_batch_inside: is_set("transBatchA")? },
        Orientation { is_transposed: is_set("transB")?, is_batch_inside: is_set("transBatchB")? },
    );
    // Constants are shown only as they enter the product.
    let is_plain = |side: Orientation| !side.is_transposed && !side.is_batch_inside;
    let constants: Vec<_> =
        [left, right].into_iter().enumerate().map(|(index, side)| node.constants.get(index).copied().flatten().filter(|_| is_plain(side))).collect();
    Ok(Box::new(FusedMatMul {
        product: standard_with("MatMul", STANDARD_OPSET, &attributes([]), 1, &constants)?,
        alpha: node.attributes.float("alpha")?.unwrap_or(1.0),
        left,
        right,
    }))
}

impl Orientation {
    /// The axes of `[batch…, rows, columns]` among those in memory.
    fn axes(self, rank: usize) -> Vec<usize> {
        let mut axes: Vec<usize> = (0..rank).collect();
        // A vector has nothing to swap.
        if rank < 2 {
            return axes;
        }
        if self.is_batch_inside {
            axes[..rank - 1].rotate_left(1);
        }
        if self.is_transposed {
            axes.swap(rank - 2, rank - 1);
        }
        axes
    }

    fn orient(self, tensor: Tensor) -> Result<Tensor, OpError> {
        let axes = self.axes(tensor.rank());
        movement::permute(tensor, &axes)
    }

    fn orient_type(self, value_type: Option<&ValueType>) -> Option<ValueType> {
        let (element_type, shape) = value_type?.as_tensor()?;
        let shape = shape.dims().map(|dims| self.axes(dims.len()).into_iter().map(|axis| dims[axis].clone()).collect());
        Some(ValueType::tensor(element_type, SymbolicShape(shape)))
    }
}

impl Operator for FusedMatMul {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let types = vec![self.left.orient_type(inputs.value_type(0)), self.right.orient_type(inputs.value_type(1))];
        self.product.infer(&InferInputs { types, constants: vec![None, None], n_outputs: 1 })
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let (left, right) = (inputs.take_tensor(0, "A")?, inputs.take_tensor(1, "B")?);
        TypeSet::FLOATS.check(&left, 0, "A")?;
        let product = run_one(self.product.as_ref(), [Some(self.left.orient(left)?), Some(self.right.orient(right)?)], context)?;
        if self.alpha == 1.0 || product.is_empty() {
            return Ok(single(product));
        }
        debug_assert_ne!(product.element_type(), ElementType::I32);
        Ok(single(map_floats(product, |product| Backend::float_mul_scalar(product, self.alpha.into()))))
    }

    fn placement(&self) -> Placement {
        self.product.placement()
    }

    fn macs(&self, inputs: &[Option<ValueType>], outputs: &[Option<ValueType>]) -> Option<u64> {
        let left = self.left.orient_type(inputs.first()?.as_ref());
        let right = self.right.orient_type(inputs.get(1)?.as_ref());
        self.product.macs(&[left, right], outputs)
    }
}

//! Einsum: sums of products of tensors over labelled axes.

mod contraction;
mod equation;

use contraction::{Labelled, Pairing};
use equation::{Equation, Label};

use super::operator::{Outputs, single};
use super::precision::{cast, compute_type};
use super::types::{TypeSet, check_same_type};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Placement, Registration, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::ElementType;
use crate::tensor::Tensor;

pub const OPERATORS: &[Registration] = &[Registration { domain: "", op_type: "Einsum", opsets: OpsetRange::from(12), build: Einsum::build }];

/// <https://onnx.ai/onnx/operators/onnx__Einsum.html>, opsets 12, 28 (bfloat16).
///
/// Operands are multiplied two at a time, each time the pair with the smallest product. A pair is a stack of matrix products: labels of both that the
/// rest still needs are the stack, labels of both that nothing needs are summed. As in numpy, an axis of 1 stretches to the size that its label has
/// elsewhere.
#[derive(Debug)]
struct Einsum {
    equation: Equation,
}

impl Einsum {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { equation: Equation::parse(node.attributes.require_text("equation")?, node.n_inputs)? }))
    }
}

/// The size of every label, in the order in which they first stand in the operands.
struct Sizes(Vec<(Label, usize)>);

impl Sizes {
    fn new<'a>(operands: impl Iterator<Item = (&'a [Label], &'a [usize])>) -> Result<Self, OpError> {
        let mut sizes: Vec<(Label, usize)> = Vec::new();
        for (labels, shape) in operands {
            for (index, (&label, &dim)) in labels.iter().zip(shape).enumerate() {
                // Within one operand equal labels mean a diagonal, which does not stretch.
                let first = labels.iter().position(|other| *other == label).unwrap_or(index);
                if shape[first] != dim {
                    return Err(OpError::shape(format!("{label} has the sizes {} and {dim} within one operand of shape {shape:?}", shape[first])));
                }
                match sizes.iter_mut().find(|(other, _)| *other == label) {
                    Some((_, size)) if *size == 1 => *size = dim,
                    Some((_, size)) if dim == 1 || *size == dim => {}
                    Some((_, size)) => return Err(OpError::shape(format!("{label} has the size {size} in one operand and {dim} in another"))),
                    None => sizes.push((label, dim)),
                }
            }
        }
        Ok(Self(sizes))
    }

    fn of(&self, label: Label) -> usize {
        self.0.iter().find(|(other, _)| *other == label).map_or(1, |(_, size)| *size)
    }
}

/// Whether the result or one of the operands has a label.
fn is_needed(label: Label, result: &[Label], operands: &[Vec<Label>], except: [usize; 2]) -> bool {
    let others = operands.iter().enumerate().filter(|(index, _)| !except.contains(index));
    result.contains(&label) || others.into_iter().any(|(_, labels)| labels.contains(&label))
}

/// The pair of operands to multiply next: the one with the smallest product, of several the one with the fewest multiplications.
fn next_pair(operands: &[Vec<Label>], result: &[Label], sizes: &Sizes) -> Option<(usize, usize, Pairing)> {
    let pairs = (0..operands.len()).flat_map(|left| (left + 1..operands.len()).map(move |right| (left, right)));
    pairs
        .map(|(left, right)| {
            let pairing = Pairing::new(&operands[left], &operands[right], |label| is_needed(label, result, operands, [left, right]));
            (left, right, pairing)
        })
        .min_by_key(|(_, _, pairing)| pairing.cost(|label| sizes.of(label)))
}

impl Operator for Einsum {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let Some((element_type, _)) = inputs.tensor(0) else { return Ok(vec![None]) };
        let unknown = Ok(vec![Some(ValueType::tensor(element_type, SymbolicShape::unknown()))]);
        let shapes: Option<Vec<&[Dimension]>> = (0..inputs.types.len()).map(|index| inputs.tensor(index)?.1.dims()).collect();
        let Some(shapes) = shapes else { return unknown };
        let (operands, result) = self.equation.resolve(&shapes.iter().map(|dims| dims.len()).collect::<Vec<_>>())?;
        let dim_of = |label: &Label| {
            let dims = operands.iter().zip(&shapes).flat_map(|(labels, dims)| labels.iter().zip(dims.iter()));
            let mut dims = dims.filter(|(other, _)| *other == label).map(|(_, dim)| dim);
            let first = dims.next().cloned().unwrap_or(Dimension::Unknown);
            // What is not 1 decides; of two names the first does, since both must be equal or 1.
            dims.fold(
                first,
                |dim, other| if dim == Dimension::Known(1) || other.known().is_some_and(|other| other != 1) { other.clone() } else { dim },
            )
        };
        Ok(vec![Some(ValueType::tensor(element_type, result.iter().map(dim_of).collect::<Vec<_>>()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let tensors = inputs.take_tensors("Inputs")?;
        for (index, tensor) in tensors.iter().enumerate() {
            TypeSet::NUMBERS.check(tensor, index, "Inputs")?;
            check_same_type(&tensors[0], tensor)?;
        }
        let (labels, result) = self.equation.resolve(&tensors.iter().map(Tensor::rank).collect::<Vec<_>>())?;
        let sizes = Sizes::new(labels.iter().map(Vec::as_slice).zip(tensors.iter().map(Tensor::shape)))?;
        let element_type = tensors.first().map_or(ElementType::F32, Tensor::element_type);
        context.check_result_size(element_type, &result.iter().map(|&label| sizes.of(label)).collect::<Vec<_>>())?;
        let compute = if element_type.is_float() { compute_type(element_type) } else { element_type };

        let mut operands = Vec::with_capacity(tensors.len());
        for (tensor, labels) in tensors.into_iter().zip(labels) {
            let tensor = if element_type.is_float() { cast(tensor, compute)? } else { tensor };
            operands.push(Labelled { tensor, labels }.diagonal()?.without_stretched(|label| sizes.of(label))?);
        }
        for index in 0..operands.len() {
            let labels: Vec<_> = operands.iter().map(|operand| operand.labels.clone()).collect();
            let operand = operands[index].clone();
            operands[index] = operand.sum_others(|label| is_needed(label, &result, &labels, [index; 2]), context)?;
        }
        while let Some((left, right, pairing)) = {
            let labels: Vec<_> = operands.iter().map(|operand| operand.labels.clone()).collect();
            next_pair(&labels, &result, &sizes)
        } {
            let right = operands.swap_remove(right);
            let left = operands.swap_remove(left);
            operands.push(pairing.multiply(left, right, context)?);
        }
        let Some(product) = operands.pop() else { return Err(OpError::MissingInput { index: 0, name: "Inputs" }) };
        let product = product.ordered(&result)?.tensor;
        Ok(single(if element_type.is_float() { cast(product, element_type)? } else { product }))
    }

    fn placement(&self) -> Placement {
        Placement::AnyDevice
    }

    fn macs(&self, inputs: &[Option<ValueType>], _outputs: &[Option<ValueType>]) -> Option<u64> {
        let shapes: Vec<Vec<usize>> = inputs.iter().map(|input| input.as_ref()?.as_tensor()?.1.as_known()).collect::<Option<_>>()?;
        let (mut operands, result) = self.equation.resolve(&shapes.iter().map(Vec::len).collect::<Vec<_>>()).ok()?;
        let sizes = Sizes::new(operands.iter().zip(&shapes).map(|(labels, shape)| (labels.as_slice(), shape.as_slice()))).ok()?;
        let all = operands.clone();
        for (index, labels) in operands.iter_mut().enumerate() {
            labels.sort_unstable();
            labels.dedup();
            labels.retain(|&label| is_needed(label, &result, &all, [index; 2]));
        }
        let mut n_products = 0_u128;
        while let Some((left, right, pairing)) = next_pair(&operands, &result, &sizes) {
            n_products = n_products.saturating_add(pairing.cost(|label| sizes.of(label)).1);
            operands.swap_remove(right);
            operands.swap_remove(left);
            operands.push(pairing.result());
        }
        u64::try_from(n_products).ok()
    }
}

#[cfg(test)]
mod tests;

//! What makes tensors from nothing: Constant, ConstantOfShape, Range.

use compact_str::CompactString;

use super::operator::{Outputs, single};
use super::types::{Number, TypeSet, check_same_type, match_element, match_number};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Registration, RunContext, shape};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Element, ElementType, HostTensor, SparseTensor};
use crate::tensor::Tensor;

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator.
///
/// Constant: 1, 9, 11 (sparse), 12 (numbers and texts beside tensors), 13 and later (types). ConstantOfShape: 9, 20 and later (types).
/// Range: 11, 27 (half precision).
pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Constant", opsets: OpsetRange::from(1), build: build_constant },
    Registration { domain: "", op_type: "ConstantOfShape", opsets: OpsetRange::from(9), build: build_constant_of_shape },
    Registration { domain: "", op_type: "Range", opsets: OpsetRange::from(11), build: build_range },
];

fn build_constant(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    if let Some(tensor) = attributes.sparse_tensor("sparse_value")? {
        return Ok(Box::new(SparseConstant { tensor: tensor.clone() }));
    }
    let text = |bytes: &bytes::Bytes, name: &str| {
        let text = std::str::from_utf8(bytes).map_err(|_| OpError::value(format!("attribute '{name}' is not valid UTF-8 text")))?;
        Ok::<_, OpError>(CompactString::new(text))
    };
    let value = if let Some(value) = attributes.tensor("value")? {
        Tensor::from_host(value)?
    } else if let Some(value) = attributes.float("value_float")? {
        Tensor::scalar(value)
    } else if let Some(values) = attributes.floats("value_floats")? {
        Tensor::from_vec(&[values.len()], values.to_vec())?
    } else if let Some(value) = attributes.int("value_int")? {
        Tensor::scalar(value)
    } else if let Some(values) = attributes.ints("value_ints")? {
        Tensor::from_vec(&[values.len()], values.to_vec())?
    } else if let Some(value) = attributes.bytes("value_string")? {
        Tensor::from_strings(&[], vec![text(value, "value_string")?])?
    } else if let Some(values) = attributes.byte_strings("value_strings")? {
        let texts = values.iter().map(|value| text(value, "value_strings")).collect::<Result<Vec<_>, _>>()?;
        Tensor::from_strings(&[texts.len()], texts)?
    } else {
        return Err(OpError::value("Constant needs one of the attributes value, value_float(s), value_int(s), value_string(s)"));
    };
    Ok(Box::new(Constant { value }))
}

#[derive(Debug)]
struct Constant {
    value: Tensor,
}

impl Operator for Constant {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(self.value.element_type(), self.value.shape()))])
    }

    fn run(&self, _inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        Ok(single(self.value.clone()))
    }
}

/// A constant of which the file holds only some elements. It has all of them only while it runs: the file's size says nothing about theirs.
#[derive(Debug)]
struct SparseConstant {
    tensor: SparseTensor,
}

impl Operator for SparseConstant {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(self.tensor.element_type(), self.tensor.shape()))])
    }

    fn run(&self, _inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        context.check_result_size(self.tensor.element_type(), self.tensor.shape())?;
        let dense = self.tensor.to_dense().map_err(|error| OpError::value(error.to_string()))?;
        Ok(single(Tensor::from_host(&dense)?))
    }
}

fn build_constant_of_shape(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let value = match node.attributes.tensor("value")? {
        Some(value) if value.n_elements() == 1 => Tensor::from_host(value)?,
        Some(value) => return Err(OpError::value(format!("attribute 'value' should hold one element, but is {value:?}"))),
        None => Tensor::scalar(0.0_f32),
    };
    TypeSet::NUMBERS_AND_BOOL.check(&value, 0, "value")?;
    Ok(Box::new(ConstantOfShape { value }))
}

/// A tensor of a given shape, filled with one value.
#[derive(Debug)]
struct ConstantOfShape {
    value: Tensor,
}

impl ConstantOfShape {
    fn filled<T: Element>(&self, shape: &[usize], n_elements: usize) -> Result<Tensor, OpError> {
        let value = self.value.as_slice::<T>()?;
        Ok(Tensor::from_vec(shape, vec![value[0]; n_elements])?)
    }
}

impl Operator for ConstantOfShape {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let shape = if let Some(dims) = inputs.constant_ints(0) {
            SymbolicShape::from(shape::to_shape(&dims)?.as_slice())
        } else {
            let rank = inputs.tensor(0).and_then(|(_, shape)| shape.dims()?.first()?.known());
            // A rank that no model has is a contradiction elsewhere; here it must not be allocated.
            rank.filter(|&rank| rank <= 64).map_or_else(SymbolicShape::unknown, shape::unknown_dims)
        };
        Ok(vec![Some(ValueType::tensor(self.value.element_type(), shape))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        if input.element_type() != ElementType::I64 || input.rank() > 1 {
            return Err(OpError::WrongInput {
                index: 0,
                name: "input",
                expected: "a shape: int64 of rank 1".to_owned(),
                found: format!("{input:?}"),
            });
        }
        let shape = shape::to_shape(&input.to_i64s()?)?;
        let element_type = self.value.element_type();
        let n_elements = context.check_result_size(element_type, &shape)?;
        match_element!(element_type, T => self.filled::<T>(&shape, n_elements), else Err(OpError::unsupported(format!("ConstantOfShape of {element_type}")))).map(single)
    }
}

fn build_range(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    if node.attributes.int("stash_type")?.unwrap_or(1) != 1 {
        return Err(OpError::unsupported("Range with a stash_type other than 1 (float32)"));
    }
    Ok(Box::new(Range))
}

/// `start`, `start + delta`, … up to but without `limit`.
#[derive(Debug)]
struct Range;

impl Range {
    /// How many numbers there are. Fails for a step of 0 and for what does not fit in memory anyway.
    fn count<T: Number>(start: T, limit: T, delta: T) -> Result<usize, OpError> {
        if delta == T::ZERO {
            return Err(OpError::value("the step of a Range (delta) is 0"));
        }
        let endless = || OpError::value(format!("a Range from {start:?} to {limit:?} in steps of {delta:?} has no end"));
        if T::ELEMENT_TYPE.is_int() {
            let wide = |value: T| match value.widen() {
                super::types::Wide::Signed(value) => i128::from(value),
                super::types::Wide::Unsigned(value) => i128::from(value),
                super::types::Wide::Float(value) => value as i128,
            };
            let (distance, delta) = (wide(limit) - wide(start), wide(delta));
            let count = if (distance > 0) == (delta > 0) { (distance.abs() + delta.abs() - 1) / delta.abs() } else { 0 };
            return usize::try_from(count).map_err(|_| endless());
        }
        let count = ((limit.to_f64() - start.to_f64()) / delta.to_f64()).ceil().max(0.0);
        // 2⁵³: far beyond any memory, and still exact.
        if count <= 9_007_199_254_740_992.0 { Ok(count as usize) } else { Err(endless()) }
    }

    fn of_constants<T: Number>(inputs: [&HostTensor; 3]) -> Option<usize> {
        let mut values = [T::ZERO; 3];
        for (value, input) in values.iter_mut().zip(inputs) {
            *value = *input.as_slice::<T>().ok()?.first()?;
        }
        Self::count(values[0], values[1], values[2]).ok()
    }

    fn run_as<T: Number>(tensors: &[Tensor; 3], context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let [start, limit, delta] = tensors.each_ref().map(|tensor| tensor.as_slice::<T>().map(|values| values.first().copied()));
        let (Some(start), Some(limit), Some(delta)) = (start?, limit?, delta?) else {
            return Err(OpError::shape("start, limit and delta of a Range must hold one number each"));
        };
        let count = Self::count(start, limit, delta)?;
        context.check_result_size(T::ELEMENT_TYPE, &[count])?;
        let is_half = matches!(T::ELEMENT_TYPE, ElementType::F16 | ElementType::Bf16);
        let value_at = |index: usize| {
            if is_half {
                // In float32, rounded once.
                T::from_f64(f64::from(start.to_f64() as f32 + index as f32 * delta.to_f64() as f32))
            } else {
                start.plus(T::narrow(super::types::Wide::Unsigned(index as u64)).times(delta))
            }
        };
        Ok(Tensor::from_vec(&[count], (0..count).map(value_at).collect())?)
    }
}

impl Operator for Range {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let count = match (inputs.constant(0), inputs.constant(1), inputs.constant(2)) {
            (Some(start), Some(limit), Some(delta)) => {
                match_number!(start.element_type(), T => Self::of_constants::<T>([start, limit, delta]), else None)
            }
            _ => None,
        };
        let dim = count.map_or(Dimension::Unknown, Dimension::Known);
        let element_type = (0..3).find_map(|index| inputs.tensor(index)).map(|(element_type, _)| element_type);
        Ok(vec![element_type.map(|element_type| ValueType::tensor(element_type, vec![dim]))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let tensors = [inputs.take_tensor(0, "start")?, inputs.take_tensor(1, "limit")?, inputs.take_tensor(2, "delta")?];
        TypeSet::NUMBERS.check(&tensors[0], 0, "start")?;
        check_same_type(&tensors[0], &tensors[1])?;
        check_same_type(&tensors[0], &tensors[2])?;
        let element_type = tensors[0].element_type();
        match_number!(element_type, T => Self::run_as::<T>(&tensors, context), else Err(OpError::unsupported(format!("Range of {element_type}"))))
            .map(single)
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use crate::graph::Attribute;
    use crate::host::{ElementType, HostTensor, SparseTensor};
    use crate::ops::testing::{assert_bools, assert_close, assert_strings, assert_tensor, bools, op, tensor, typed};
    use crate::tensor::Tensor;

    #[test]
    fn constants_of_every_kind() {
        assert_tensor(&op("Constant").tensor("value", &tensor(&[2], &[1_i8, 2])).run1([]), &[2], &[1_i8, 2]);
        assert_tensor(&op("Constant").float("value_float", 1.5).run1([]), &[], &[1.5_f32]);
        assert_tensor(&op("Constant").floats("value_floats", &[1.5, 2.0]).run1([]), &[2], &[1.5_f32, 2.0]);
        assert_tensor(&op("Constant").int("value_int", 7).run1([]), &[], &[7_i64]);
        assert_tensor(&op("Constant").ints("value_ints", &[]).run1([]), &[0], &[] as &[i64]);
        assert_strings(&op("Constant").text("value_string", "a").run1([]), &[], &["a"]);
        assert_strings(&op("Constant").texts("value_strings", &["a", "b"]).run1([]), &[2], &["a", "b"]);
        assert_eq!(op("Constant").int("value_int", 7).infer([]), [Some("int64[]".to_owned())]);
        assert!(op("Constant").error([]).starts_with("Constant needs one of the attributes"));
    }

    #[test]
    fn a_sparse_constant_is_dense_when_it_runs_and_not_before() {
        let sparse = |shape: &[usize]| {
            let parts = (HostTensor::from_vec(vec![1], &[7_i64]).unwrap(), HostTensor::from_vec(vec![1], &[2_i64]).unwrap());
            let tensor = SparseTensor::new(shape.to_vec(), parts.0, &parts.1).unwrap();
            op("Constant").attribute("sparse_value", Attribute::Sparse { tensor, message: bytes::Bytes::new() })
        };
        assert_tensor(&sparse(&[2, 2]).run1([]), &[2, 2], &[0_i64, 0, 7, 0]);
        assert_eq!(sparse(&[2, 2]).infer([]), [Some("int64[2, 2]".to_owned())]);
        let error = sparse(&[1 << 20, 1 << 20]).error([]);
        assert!(error.contains("more than the limit"), "{error}");
    }

    #[test]
    fn constants_of_a_shape() {
        let shape = tensor(&[2], &[2_i64, 3]);
        assert_tensor(&op("ConstantOfShape").run1([shape.clone()]), &[2, 3], &[0.0_f32; 6]);
        assert_tensor(&op("ConstantOfShape").tensor("value", &tensor(&[1], &[7_i64])).run1([shape.clone()]), &[2, 3], &[7_i64; 6]);
        assert_bools(&op("ConstantOfShape").tensor("value", &bools(&[1], &[true])).run1([tensor(&[1], &[2_i64])]), &[2], &[true, true]);
        assert_tensor(&op("ConstantOfShape").run1([Tensor::empty(ElementType::I64, &[0])]), &[], &[0.0_f32]);
        assert_tensor::<f32>(&op("ConstantOfShape").run1([tensor(&[2], &[0_i64, 5])]), &[0, 5], &[]);
        assert_eq!(op("ConstantOfShape").error([tensor(&[1], &[-1_i64])]), "dimension -1 in shape [-1] is negative");
        let error = op("ConstantOfShape").error([tensor(&[2], &[i64::MAX, i64::MAX])]);
        assert!(error.contains("more than the limit"), "{error}");
        assert!(op("ConstantOfShape").error([Tensor::scalar(1.0_f32)]).contains("a shape: int64 of rank 1"));
        assert_eq!(op("ConstantOfShape").constant(0, &shape).infer([typed::<i64>("2")]), [Some("float32[2, 3]".to_owned())]);
        assert_eq!(op("ConstantOfShape").infer([typed::<i64>("2")]), [Some("float32[?, ?]".to_owned())]);
        assert_eq!(op("ConstantOfShape").infer([typed::<i64>("n")]), [Some("float32[…]".to_owned())]);
    }

    #[test]
    fn ranges_stop_before_the_limit() {
        let ints = |start: i64, limit: i64, delta: i64| [Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)];
        let floats = |start: f32, limit: f32, delta: f32| [Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)];
        assert_tensor(&op("Range").run1(ints(3, 9, 3)), &[2], &[3_i64, 6]);
        assert_tensor(&op("Range").run1(ints(10, 4, -3)), &[2], &[10_i64, 7]);
        assert_tensor(&op("Range").run1(ints(4, 10, -3)), &[0], &[] as &[i64]);
        assert_tensor(&op("Range").run1(ints(i64::MIN, i64::MAX, i64::MAX)), &[3], &[i64::MIN, -1, i64::MAX - 1]);
        assert_close(&op("Range").run1(floats(0.0, 1.0, 0.3)), &[4], &[0.0, 0.3, 0.6, 0.900_000_04]);
        let half = |value: f32| Tensor::scalar(f16::from_f32(value));
        assert_tensor(&op("Range").opset(27).run1([half(2046.0), half(2050.0), half(2.0)]), &[2], &[f16::from_f32(2046.0), f16::from_f32(2048.0)]);
        assert_eq!(op("Range").error(ints(1, 2, 0)), "the step of a Range (delta) is 0");
        assert!(op("Range").error(ints(0, i64::MAX, 1)).contains("more than the limit"));
        assert!(op("Range").error(floats(0.0, f32::INFINITY, 1.0)).contains("has no end"));
        let [start, limit, delta] = ints(0, 5, 2);
        let constant = op("Range").constant(0, &start).constant(1, &limit).constant(2, &delta);
        assert_eq!(constant.infer([typed::<i64>(""), typed::<i64>(""), typed::<i64>("")]), [Some("int64[3]".to_owned())]);
        assert_eq!(op("Range").infer([typed::<i64>(""), typed::<i64>(""), typed::<i64>("")]), [Some("int64[?]".to_owned())]);
    }
}

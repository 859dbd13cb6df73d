//! Scatter, ScatterElements, ScatterND: a tensor with some of its elements replaced, or combined with others.
//!
//! In host memory: what happens to an element that is named twice is decided by the order of the updates, as ONNX Runtime does it.

use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::shape::{normalize_axis, normalize_index, same_as, strides};
use super::types::{Number, TypeSet, check_same_type, match_element, match_number};
use super::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::{Element, ElementType};
use crate::tensor::Tensor;

pub const OPERATORS: &[Registration] = &[
    Registration { domain: "", op_type: "Scatter", opsets: OpsetRange { first: 9, last: Some(10) }, build: build_elements },
    Registration { domain: "", op_type: "ScatterElements", opsets: OpsetRange::from(11), build: build_elements },
    Registration { domain: "", op_type: "ScatterND", opsets: OpsetRange::from(11), build: build_nd },
];

/// What an update does to the element that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reduction {
    Replace,
    Add,
    Multiply,
    Largest,
    Smallest,
}

impl Reduction {
    fn new(context: &NodeContext<'_>) -> Result<Self, OpError> {
        match context.attributes.text("reduction")?.unwrap_or("none") {
            "none" => Ok(Self::Replace),
            "add" => Ok(Self::Add),
            "mul" => Ok(Self::Multiply),
            "max" => Ok(Self::Largest),
            "min" => Ok(Self::Smallest),
            other => Err(OpError::value(format!("attribute 'reduction' should be none, add, mul, max or min, but is '{other}'"))),
        }
    }

    fn of_numbers<T: Number>(self) -> fn(T, T) -> T {
        match self {
            Self::Replace => |_, update| update,
            Self::Add => T::plus,
            Self::Multiply => T::times,
            Self::Largest => T::larger,
            Self::Smallest => T::smaller,
        }
    }
}

struct Operands {
    data: Tensor,
    indices: Tensor,
    updates: Tensor,
}

impl Operands {
    fn take(inputs: &mut Inputs) -> Result<Self, OpError> {
        let (data, indices, updates) = (inputs.take_tensor(0, "data")?, inputs.take_tensor(1, "indices")?, inputs.take_tensor(2, "updates")?);
        TypeSet::INDICES.check(&indices, 1, "indices")?;
        check_same_type(&data, &updates)?;
        Ok(Self { data, indices, updates })
    }
}

/// The data with its elements at `targets`, runs of `run` elements, replaced by or combined with the updates, one run after the other.
/// All targets lie within the data.
fn scatter(data: Tensor, updates: &Tensor, targets: &[usize], run: usize, reduction: Reduction) -> Result<Tensor, OpError> {
    let element_type = data.element_type();
    if data.is_empty() || updates.is_empty() {
        return Ok(data);
    }
    if reduction != Reduction::Replace {
        return match_number!(element_type, T => combine::<T>(data, updates, targets, run, reduction.of_numbers()),
            else Err(OpError::unsupported(format!("scattering {element_type} with a reduction"))));
    }
    if element_type == ElementType::String {
        let mut scattered = data.as_strings()?.to_vec();
        for (&target, updates) in targets.iter().zip(updates.as_strings()?.chunks(run)) {
            scattered[target..target + run].clone_from_slice(updates);
        }
        return Ok(Tensor::from_strings(data.shape(), scattered)?);
    }
    match_element!(element_type, T => replace::<T>(data, updates, targets, run), else Err(OpError::unsupported(format!("scattering {element_type}"))))
}

fn replace<T: Element>(data: Tensor, updates: &Tensor, targets: &[usize], run: usize) -> Result<Tensor, OpError> {
    let shape = data.shape().to_vec();
    let mut scattered = data.into_vec::<T>()?;
    for (&target, updates) in targets.iter().zip(updates.as_slice::<T>()?.chunks(run)) {
        scattered[target..target + run].copy_from_slice(updates);
    }
    Ok(Tensor::from_vec(&shape, scattered)?)
}

fn combine<T: Number>(data: Tensor, updates: &Tensor, targets: &[usize], run: usize, combine: fn(T, T) -> T) -> Result<Tensor, OpError> {
    let shape = data.shape().to_vec();
    let mut scattered = data.into_vec::<T>()?;
    for (&target, updates) in targets.iter().zip(updates.as_slice::<T>()?.chunks(run)) {
        for (element, &update) in scattered[target..target + run].iter_mut().zip(updates) {
            *element = combine(*element, update);
        }
    }
    Ok(Tensor::from_vec(&shape, scattered)?)
}

/// Each update goes to the place that has its own position on every axis but one, where an index says.
///
/// <https://onnx.ai/onnx/operators/onnx__ScatterElements.html>, opsets 11, 13 (element types), 16 (`reduction`: add, mul), 18 (max, min);
/// <https://onnx.ai/onnx/operators/onnx__Scatter.html>, opset 9, which became ScatterElements.
#[derive(Debug)]
struct ScatterElements {
    axis: i64,
    reduction: Reduction,
}

fn build_elements(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(ScatterElements { axis: context.attributes.int("axis")?.unwrap_or(0), reduction: Reduction::new(context)? }))
}

impl ScatterElements {
    fn targets(data: &[usize], indices: &Tensor, axis: usize) -> Result<Vec<usize>, OpError> {
        let strides = strides(data);
        let mut position = vec![0_usize; data.len()];
        let mut targets = Vec::with_capacity(indices.n_elements());
        for &index in &indices.to_i64s()? {
            let index = normalize_index(index, data[axis], axis)?;
            let own: usize = position.iter().zip(&strides).map(|(position, stride)| position * stride).sum();
            targets.push(own - position[axis] * strides[axis] + index * strides[axis]);
            for (position, &dim) in position.iter_mut().zip(indices.shape()).rev() {
                *position += 1;
                if *position < dim {
                    break;
                }
                *position = 0;
            }
        }
        Ok(targets)
    }
}

impl Operator for ScatterElements {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let Operands { data, indices, updates } = Operands::take(&mut inputs)?;
        let axis = normalize_axis(self.axis, data.rank())?;
        let fits = indices.shape() == updates.shape()
            && indices.rank() == data.rank()
            && (0..data.rank()).all(|other| other == axis || indices.shape()[other] <= data.shape()[other]);
        if !fits {
            return Err(OpError::shape(format!(
                "indices of shape {:?} and updates of shape {:?} should have one shape that fits data of shape {:?}, and may exceed it along axis {axis} only",
                indices.shape(),
                updates.shape(),
                data.shape()
            )));
        }
        let targets = Self::targets(data.shape(), &indices, axis)?;
        Ok(single(scatter(data, &updates, &targets, 1, self.reduction)?))
    }
}

/// Each row of indices names the slice of the data that an update goes to.
///
/// <https://onnx.ai/onnx/operators/onnx__ScatterND.html>, opsets 11, 13 (element types), 16 (`reduction`: add, mul), 18 (max, min).
#[derive(Debug)]
struct ScatterNd {
    reduction: Reduction,
}

fn build_nd(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(ScatterNd { reduction: Reduction::new(context)? }))
}

impl Operator for ScatterNd {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![same_as(inputs, 0)])
    }

    fn run(&self, mut inputs: Inputs, _context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let Operands { data, indices, updates } = Operands::take(&mut inputs)?;
        let fits =
            |&(depth, rows): &(usize, &[usize])| (1..=data.rank()).contains(&depth) && updates.shape() == [rows, &data.shape()[depth..]].concat();
        let (depth, _) = indices.shape().split_last().map(|(&depth, rows)| (depth, rows)).filter(fits).ok_or_else(|| {
            OpError::shape(format!(
                "indices of shape {:?} and updates of shape {:?} do not fit data of shape {:?}: a row of indices names a slice of the data, and the updates hold one slice for each row",
                indices.shape(),
                updates.shape(),
                data.shape()
            ))
        })?;
        let run: usize = data.shape()[depth..].iter().product();
        let dims = &data.shape()[..depth];
        let target = |index: &[i64]| {
            let slice = index.iter().zip(dims).enumerate().try_fold(0, |slice, (axis, (&index, &dim))| {
                let index = normalize_index(index, dim, axis)?;
                Ok::<_, OpError>(slice * dim + index)
            });
            Ok(slice? * run)
        };
        let targets = indices.to_i64s()?.chunks_exact(depth).map(target).collect::<Result<Vec<_>, OpError>>()?;
        Ok(single(scatter(data, &updates, &targets, run, self.reduction)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{assert_bools, assert_strings, assert_tensor, bools, op, strings, tensor, typed};
    use crate::tensor::Tensor;

    #[test]
    fn elements_go_where_indices_say() {
        // The second example of the specification.
        let row = || tensor(&[1, 5], &[1.0_f32, 2.0, 3.0, 4.0, 5.0]);
        let indices = || tensor(&[1, 2], &[1_i64, -2]);
        let updates = || tensor(&[1, 2], &[1.1_f32, 2.1]);
        let along = op("ScatterElements").int("axis", 1);
        assert_tensor(&along.run1([row(), indices(), updates()]), &[1, 5], &[1.0_f32, 1.1, 3.0, 2.1, 5.0]);
        assert_tensor(&op("Scatter").opset(9).int("axis", 1).run1([row(), indices(), updates()]), &[1, 5], &[1.0_f32, 1.1, 3.0, 2.1, 5.0]);
        let twice = tensor(&[1, 2], &[1_i32, 1]);
        for (reduction, expected) in [("none", 2.1_f32), ("add", 2.0 + 1.1 + 2.1), ("mul", 2.0 * 1.1 * 2.1), ("max", 2.1), ("min", 1.1)] {
            let combined = along.clone().text("reduction", reduction).run1([row(), twice.clone(), updates()]);
            assert_tensor(&combined, &[1, 5], &[1.0_f32, expected, 3.0, 4.0, 5.0]);
        }
        // Fewer rows than the data, more columns.
        let smaller = op("ScatterElements").int("axis", 1).text("reduction", "add");
        let grid = tensor(&[2, 2], &[0_i32; 4]);
        assert_tensor(&smaller.run1([grid, tensor(&[1, 3], &[0_i64, 1, 1]), tensor(&[1, 3], &[5_i32, 6, 7])]), &[2, 2], &[5_i32, 13, 0, 0]);
        let words = op("ScatterElements").run1([strings(&[3], &["a", "b", "c"]), tensor(&[1], &[2_i64]), strings(&[1], &["z"])]);
        assert_strings(&words, &[3], &["a", "b", "z"]);
        let flags = op("ScatterElements").run1([bools(&[2], &[true, true]), tensor(&[1], &[0_i64]), bools(&[1], &[false])]);
        assert_bools(&flags, &[2], &[false, true]);
        let nothing = op("ScatterElements").run1([row(), Tensor::empty(ElementType::I64, &[0, 5]), Tensor::empty(ElementType::F32, &[0, 5])]);
        assert_eq!(nothing.shape(), [1, 5]);
    }

    #[test]
    fn slices_go_where_rows_of_indices_say() {
        // The first example of the specification.
        let data = || tensor(&[8], &[1_i64, 2, 3, 4, 5, 6, 7, 8]);
        let indices = tensor(&[4, 1], &[4_i64, 3, 1, 7]);
        let scattered = op("ScatterND").run1([data(), indices, tensor(&[4], &[9_i64, 10, 11, 12])]);
        assert_tensor(&scattered, &[8], &[1_i64, 11, 3, 10, 9, 6, 7, 12]);
        let rows = op("ScatterND").text("reduction", "add");
        let grid = tensor(&[2, 2], &[1_u8, 2, 3, 4]);
        assert_tensor(&rows.run1([grid, tensor(&[2, 1], &[-1_i64, 1]), tensor(&[2, 2], &[10_u8, 20, 30, 40])]), &[2, 2], &[1_u8, 2, 43, 64]);
        let nan = op("ScatterND").text("reduction", "max").run1([
            tensor(&[2], &[1.0_f32, f32::NAN]),
            tensor(&[2, 1], &[0_i64, 1]),
            tensor(&[2], &[f32::NAN, 5.0]),
        ]);
        assert_tensor(&nan, &[2], &[f32::NAN, f32::NAN]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let data = || tensor(&[2, 2], &[0.0_f32; 4]);
        let indices = |values: &[i64]| tensor(&[1, values.len()], values);
        let update = || tensor(&[1, 1], &[1.0_f32]);
        assert_eq!(op("ScatterElements").error([data(), indices(&[2]), update()]), "index 2 is out of range for axis 0, which has 2 elements");
        assert!(op("ScatterElements").error([data(), indices(&[0, 0]), update()]).contains("should have one shape"));
        assert!(op("ScatterElements").error([data(), indices(&[0; 3]), tensor(&[1, 3], &[1.0_f32; 3])]).contains("exceed it along axis 0 only"));
        assert!(op("ScatterElements").error([data(), indices(&[0]), tensor(&[1, 1], &[1_i64])]).contains("different element types"));
        assert!(op("ScatterElements").error([data(), tensor(&[1, 1], &[0.0_f32]), update()]).contains("int32 or int64"));
        assert!(op("ScatterElements").error([Tensor::scalar(0.0_f32), Tensor::scalar(0_i64), Tensor::scalar(0.0_f32)]).contains("rank 0"));
        assert!(op("ScatterElements").text("reduction", "mean").error([data(), indices(&[0]), update()]).contains("'mean'"));
        let flags = op("ScatterElements").text("reduction", "add");
        assert_eq!(
            flags.error([bools(&[1], &[true]), tensor(&[1], &[0_i64]), bools(&[1], &[true])]),
            "scattering bool with a reduction is not supported"
        );
        assert!(op("ScatterND").error([data(), indices(&[0, 0, 0]), tensor(&[1], &[1.0_f32])]).contains("do not fit data of shape [2, 2]"));
        assert!(op("ScatterND").error([data(), indices(&[0]), tensor(&[1, 3], &[1.0_f32; 3])]).contains("one slice for each row"));
        assert_eq!(
            op("ScatterND").error([data(), indices(&[-3]), tensor(&[1, 2], &[1.0_f32; 2])]),
            "index -3 is out of range for axis 0, which has 2 elements"
        );
    }

    #[test]
    fn the_result_is_like_the_data() {
        let types = [typed::<f32>("N, 3"), typed::<i64>("1, 1"), typed::<f32>("1, 3")];
        assert_eq!(op("ScatterND").infer(types), [Some("float32[N, 3]".to_owned())]);
    }
}

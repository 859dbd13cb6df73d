//! NonMaxSuppression: of boxes that overlap, the one with the highest score.

use rayon::prelude::*;

use super::operator::{Outputs, single};
use super::registry::{OpsetRange, Registration};
use super::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, ValueType};
use crate::host::ElementType;
use crate::tensor::Tensor;

pub const OPERATORS: &[Registration] =
    &[Registration { domain: "", op_type: "NonMaxSuppression", opsets: OpsetRange::from(10), build: build_non_max_suppression }];

/// Boxes are `[batch, boxes, 4]`, scores `[batch, classes, boxes]`; the result `[selected, 3]` names batch, class and box, class by class and the best
/// score first. Among equal scores the lower index comes first; NaN is the lowest score.
///
/// <https://onnx.ai/onnx/operators/onnx__NonMaxSuppression.html>, opsets 10, 11 (later inputs may be left out).
#[derive(Debug)]
struct NonMaxSuppression {
    format: Format,
}

/// Attribute `center_point_box`: what the four numbers of a box are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Two opposite corners, `y1, x1, y2, x2`.
    Corners,
    /// `x, y` of the centre, width, height.
    Center,
}

fn build_non_max_suppression(context: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let format = match context.attributes.int("center_point_box")?.unwrap_or(0) {
        0 => Format::Corners,
        1 => Format::Center,
        other => return Err(OpError::value(format!("attribute 'center_point_box' should be 0 or 1, but is {other}"))),
    };
    Ok(Box::new(NonMaxSuppression { format }))
}

/// When a box is kept.
#[derive(Clone, Copy)]
struct Limits {
    n_boxes: usize,
    /// Boxes whose overlap with a better one is larger are dropped.
    overlap: f32,
    /// Boxes whose score is not above this are dropped.
    score: Option<f32>,
}

/// The sides of many boxes, side by side so that one box is compared with many at a time.
#[derive(Default)]
struct Boxes {
    left: Vec<f32>,
    right: Vec<f32>,
    top: Vec<f32>,
    bottom: Vec<f32>,
    area: Vec<f32>,
}

/// Comparisons between two looks at whether one has already decided.
const LANES: usize = 32;

impl Boxes {
    fn new(numbers: &[f32], format: Format) -> Self {
        let mut boxes = Self::default();
        for numbers in numbers.as_chunks::<4>().0 {
            let [left, right, top, bottom] = match (format, *numbers) {
                (Format::Corners, [y1, x1, y2, x2]) => [x1.min(x2), x1.max(x2), y1.min(y2), y1.max(y2)],
                (Format::Center, [x, y, width, height]) => [x - width / 2.0, x + width / 2.0, y - height / 2.0, y + height / 2.0],
            };
            boxes.push([left, right, top, bottom, (right - left) * (bottom - top)]);
        }
        boxes
    }

    fn push(&mut self, [left, right, top, bottom, area]: [f32; 5]) {
        self.left.push(left);
        self.right.push(right);
        self.top.push(top);
        self.bottom.push(bottom);
        self.area.push(area);
    }

    fn get(&self, index: usize) -> [f32; 5] {
        [self.left[index], self.right[index], self.top[index], self.bottom[index], self.area[index]]
    }

    /// Whether a box overlaps any of these by more than the limit: intersection over union, where all areas are positive.
    fn overlap_any(&self, [left, right, top, bottom, area]: [f32; 5], limit: f32) -> bool {
        let sides = self.left.chunks(LANES).zip(self.right.chunks(LANES));
        let sides = sides.zip(self.top.chunks(LANES).zip(self.bottom.chunks(LANES))).zip(self.area.chunks(LANES));
        for (((lefts, rights), (tops, bottoms)), areas) in sides {
            let mut overlaps = false;
            for ((((other_left, other_right), other_top), other_bottom), other_area) in lefts.iter().zip(rights).zip(tops).zip(bottoms).zip(areas) {
                let width = right.min(*other_right) - left.max(*other_left);
                let height = bottom.min(*other_bottom) - top.max(*other_top);
                let intersection = width * height;
                let union = area + other_area - intersection;
                let is_proper = (width > 0.0) & (height > 0.0) & (intersection > 0.0) & (area > 0.0) & (*other_area > 0.0) & (union > 0.0);
                overlaps |= is_proper & (intersection / union > limit);
            }
            if overlaps {
                return true;
            }
        }
        false
    }
}

/// The boxes that are kept of one class, the best first.
fn select(boxes: &Boxes, scores: &[f32], limits: Limits) -> Vec<usize> {
    let mut candidates: Vec<usize> = (0..scores.len()).filter(|&index| limits.score.is_none_or(|limit| scores[index] > limit)).collect();
    // NaN as the lowest score makes this a total order.
    let key = |index: usize| if scores[index].is_nan() { f32::NEG_INFINITY } else { scores[index] };
    candidates.sort_unstable_by(|&left, &right| key(right).partial_cmp(&key(left)).unwrap_or(std::cmp::Ordering::Equal).then(left.cmp(&right)));
    let mut kept = Boxes::default();
    let mut selected = Vec::new();
    for index in candidates {
        if selected.len() >= limits.n_boxes {
            break;
        }
        let candidate = boxes.get(index);
        if !kept.overlap_any(candidate, limits.overlap) {
            kept.push(candidate);
            selected.push(index);
        }
    }
    selected
}

/// The one number of an optional input.
fn read_float(inputs: &mut Inputs, index: usize, name: &'static str) -> Result<Option<f32>, OpError> {
    match inputs.take_optional_tensor(index, name)?.map(|tensor| tensor.to_f32s()).transpose()?.as_deref() {
        None | Some([]) => Ok(None),
        Some(&[value]) => Ok(Some(value)),
        Some(values) => Err(OpError::shape(format!("input {index} ({name}) should hold one number, but holds {}", values.len()))),
    }
}

fn read_limits(inputs: &mut Inputs) -> Result<Limits, OpError> {
    let n_boxes = match inputs.take_optional_tensor(2, "max_output_boxes_per_class")?.map(|tensor| tensor.to_i64s()).transpose()?.as_deref() {
        None | Some([]) => 0,
        // A negative number selects nothing.
        Some(&[n_boxes]) => usize::try_from(n_boxes).unwrap_or(0),
        Some(other) => {
            return Err(OpError::shape(format!("input 2 (max_output_boxes_per_class) should hold one number, but holds {}", other.len())));
        }
    };
    let overlap = read_float(inputs, 3, "iou_threshold")?.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&overlap) {
        return Err(OpError::value(format!("iou_threshold should lie between 0 and 1, but is {overlap}")));
    }
    Ok(Limits { n_boxes, overlap, score: read_float(inputs, 4, "score_threshold")? })
}

impl Operator for NonMaxSuppression {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(ElementType::I64, vec![Dimension::Unknown, Dimension::Known(3)]))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let boxes = inputs.take_tensor(0, "boxes")?;
        let scores = inputs.take_tensor(1, "scores")?;
        let limits = read_limits(&mut inputs)?;
        let (n_batches, n_boxes, n_classes) = match (boxes.shape(), scores.shape()) {
            (&[n_batches, n_boxes, 4], &[batches, n_classes, scored]) if batches == n_batches && scored == n_boxes => (n_batches, n_boxes, n_classes),
            (boxes, scores) => {
                return Err(OpError::shape(format!(
                    "boxes of shape {boxes:?} should be [batch, boxes, 4], and scores of shape {scores:?} [batch, classes, boxes]"
                )));
            }
        };
        let (boxes, scores) = (boxes.as_slice::<f32>()?, scores.as_slice::<f32>()?);
        let most = limits.n_boxes.min(n_boxes);
        context.check_result_size(ElementType::I64, &[n_batches, n_classes, most, 3])?;
        if most == 0 {
            return Ok(single(Tensor::empty(ElementType::I64, &[0, 3])));
        }
        let images: Vec<Boxes> = boxes.chunks_exact(n_boxes * 4).map(|boxes| Boxes::new(boxes, self.format)).collect();
        let selected: Vec<Vec<usize>> =
            scores.par_chunks_exact(n_boxes).enumerate().map(|(index, scores)| select(&images[index / n_classes], scores, limits)).collect();
        let number = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
        let rows = selected.iter().enumerate().flat_map(|(index, selected)| {
            selected.iter().flat_map(move |&selected| [number(index / n_classes), number(index % n_classes), number(selected)])
        });
        let rows: Vec<i64> = rows.collect();
        Ok(single(Tensor::from_vec(&[rows.len() / 3, 3], rows)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::host::ElementType;
    use crate::ops::testing::{Case, assert_tensor, op, tensor, typed};
    use crate::tensor::Tensor;

    fn boxes() -> Tensor {
        // Two that overlap by two thirds, and one far away.
        tensor(&[1, 3, 4], &[0.0_f32, 0.0, 2.0, 2.0, 0.0, 0.4, 2.0, 2.4, 10.0, 10.0, 11.0, 11.0])
    }

    fn run(case: &Case, boxes: Tensor, scores: &[f32], most: i64, overlap: f32) -> Vec<i64> {
        let scores = tensor(&[1, scores.len() / 3, 3], scores);
        case.run1([boxes, scores, tensor(&[1], &[most]), Tensor::scalar(overlap)]).into_vec::<i64>().unwrap()
    }

    #[test]
    fn the_best_of_overlapping_boxes_is_kept() {
        let case = op("NonMaxSuppression");
        assert_eq!(run(&case, boxes(), &[0.8, 0.9, 0.1], 3, 0.5), [0, 0, 1, 0, 0, 2]);
        assert_eq!(run(&case, boxes(), &[0.8, 0.9, 0.1], 3, 0.7), [0, 0, 1, 0, 0, 0, 0, 0, 2]);
        assert_eq!(run(&case, boxes(), &[0.8, 0.9, 0.1], 1, 0.7), [0, 0, 1]);
        // Equal scores: the lower index comes first. NaN comes last.
        assert_eq!(run(&case, boxes(), &[0.5, 0.5, 0.5], 3, 0.5), [0, 0, 0, 0, 0, 2]);
        assert_eq!(run(&case, boxes(), &[f32::NAN, 0.5, 0.5], 3, 0.7), [0, 0, 1, 0, 0, 2, 0, 0, 0]);
        // Two classes.
        assert_eq!(run(&case, boxes(), &[0.8, 0.9, 0.1, 0.9, 0.8, 0.7], 1, 0.5), [0, 0, 1, 0, 1, 0]);
        let centers = tensor(&[1, 3, 4], &[1.0_f32, 1.0, 2.0, 2.0, 1.4, 1.0, 2.0, 2.0, 10.5, 10.5, 1.0, 1.0]);
        assert_eq!(run(&case.clone().int("center_point_box", 1), centers, &[0.8, 0.9, 0.1], 3, 0.5), [0, 0, 1, 0, 0, 2]);
        assert_eq!(run(&case, boxes(), &[0.8, 0.9, 0.1], 0, 0.5), [0_i64; 0]);
        assert_eq!(run(&case, boxes(), &[0.8, 0.9, 0.1], -1, 0.5), [0_i64; 0]);
        assert_eq!(case.run1([boxes(), tensor(&[1, 1, 3], &[0.5_f32; 3])]).shape(), [0, 3]);
        let scored = [boxes(), tensor(&[1, 1, 3], &[0.8_f32, 0.9, 0.1]), Tensor::scalar(3_i64), Tensor::scalar(0.7_f32), Tensor::scalar(0.8_f32)];
        assert_tensor(&case.run1(scored), &[1, 3], &[0_i64, 0, 1]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let case = op("NonMaxSuppression");
        let scores = || tensor(&[1, 1, 3], &[0.5_f32; 3]);
        assert!(case.error([boxes(), tensor(&[1, 1, 2], &[0.5_f32; 2])]).contains("[batch, classes, boxes]"));
        assert_eq!(
            case.error([boxes(), scores(), Tensor::scalar(1_i64), Tensor::scalar(1.5_f32)]),
            "iou_threshold should lie between 0 and 1, but is 1.5"
        );
        assert!(case.error([boxes(), scores(), tensor(&[2], &[1_i64, 2])]).contains("should hold one number, but holds 2"));
        assert!(case.clone().int("center_point_box", 2).error([boxes(), scores()]).contains("should be 0 or 1"));
        let nothing = [Tensor::empty(ElementType::F32, &[1, 0, 4]), Tensor::empty(ElementType::F32, &[1, 2, 0]), Tensor::scalar(5_i64)];
        assert_eq!(case.run1(nothing).shape(), [0, 3]);
        assert_eq!(case.infer([typed::<f32>("1, 3, 4"), typed::<f32>("1, 1, 3")]), [Some("int64[?, 3]".to_owned())]);
    }
}

//! Whether what a model computed is what a file says it should be.

use crate::graph::ValueType;
use crate::host::{Bool, Element, ElementType, HostTensor};
use crate::onnx::values::HostValue;
use crate::tensor::{MapKey, Records, Tensor, TensorError, Value};

/// numpy's `allclose`: `|actual - expected| <= absolute + relative * |expected|`; NaN equals NaN, and infinities equal themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

impl Tolerance {
    /// Whether two numbers are close.
    pub fn accepts(self, actual: f64, expected: f64) -> bool {
        if actual.is_nan() || expected.is_nan() {
            return actual.is_nan() && expected.is_nan();
        }
        // Equal infinities have no difference to measure; unequal ones have an infinite one, which no tolerance covers.
        if actual.is_infinite() || expected.is_infinite() {
            return actual == expected;
        }
        (actual - expected).abs() <= self.absolute + self.relative * expected.abs()
    }
}

/// Two steps of bfloat16, which has 8 significant bits: what the standard's own test runner allows it (`onnx.backend.test.runner`, 1.23).
const BFLOAT16_TOLERANCE: f64 = 1.0 / 64.0;

/// `Err` is a sentence that says where the values differ. Element types and shapes must be equal; floats may differ by the tolerance,
/// everything else must be equal. bfloat16 may always differ by two of its steps.
pub fn compare(actual: &Value, expected: &HostValue, tolerance: Tolerance) -> Result<(), String> {
    match (actual, expected) {
        (Value::Absent, HostValue::Optional(None)) => Ok(()),
        (actual, HostValue::Optional(Some(expected))) => compare(actual, expected, tolerance),
        (Value::Tensor(actual), HostValue::Tensor(expected)) => compare_tensors(actual, expected, tolerance),
        (Value::Sequence(actual), HostValue::Sequence(expected)) => {
            same_length(actual.len(), expected.len())?;
            let mut items = actual.iter().zip(expected).enumerate();
            items.try_for_each(|(index, (actual, expected))| compare(actual, expected, tolerance).map_err(|why| format!("item {index}: {why}")))
        }
        (Value::Records(records), HostValue::Sequence(expected)) => compare_records(records, expected, tolerance),
        (Value::Map(entries), HostValue::Map { keys, values }) => compare_maps(entries, keys, values, tolerance),
        (actual, expected) => Err(format!("expected {}, found {}", describe(expected), actual.describe())),
    }
}

fn same_length(actual: usize, expected: usize) -> Result<(), String> {
    if actual == expected { Ok(()) } else { Err(format!("expected a sequence of {expected}, found one of {actual}")) }
}

fn describe(value: &HostValue) -> String {
    match value {
        HostValue::Tensor(tensor) => format!("a tensor of {tensor:?}"),
        HostValue::Sequence(items) => format!("a sequence of {}", items.len()),
        HostValue::Map { values, .. } => format!("a map of {}", values.len()),
        HostValue::Optional(None) => "an empty optional".to_owned(),
        HostValue::Optional(Some(inner)) => format!("an optional with {}", describe(inner)),
    }
}

fn compare_records(records: &Records, expected: &[HostValue], tolerance: Tolerance) -> Result<(), String> {
    let maps = records.to_maps().map_err(|error| error.to_string())?;
    same_length(maps.len(), expected.len())?;
    for (row, (map, expected)) in maps.into_iter().zip(expected).enumerate() {
        let HostValue::Map { keys, values } = expected else {
            return Err(format!("item {row}: expected {}, found a map", describe(expected)));
        };
        let entries: Vec<_> = map.into_iter().map(|(key, value)| (key, Value::Tensor(Tensor::scalar(value)))).collect();
        compare_maps(&entries, keys, values, tolerance).map_err(|why| format!("item {row}: {why}"))?;
    }
    Ok(())
}

/// The order of a map's entries means nothing.
fn compare_maps(actual: &[(MapKey, Value)], keys: &HostTensor, values: &[HostValue], tolerance: Tolerance) -> Result<(), String> {
    let keys = map_keys(keys)?;
    if actual.len() != keys.len() {
        return Err(format!("expected a map of {}, found one of {}", keys.len(), actual.len()));
    }
    for (key, expected) in keys.iter().zip(values) {
        let (_, found) = actual.iter().find(|(other, _)| other == key).ok_or_else(|| format!("the map has no key '{key}'"))?;
        let compared = match (found, expected) {
            // A map's number is a scalar here and a tensor of one element in some files.
            (Value::Tensor(found), HostValue::Tensor(expected)) if found.n_elements() == 1 && expected.n_elements() == 1 => {
                let found = found.clone().reshaped(expected.shape()).map_err(|error| error.to_string())?;
                compare_tensors(&found, expected, tolerance)
            }
            (found, expected) => compare(found, expected, tolerance),
        };
        compared.map_err(|why| format!("key '{key}': {why}"))?;
    }
    Ok(())
}

fn map_keys(keys: &HostTensor) -> Result<Vec<MapKey>, String> {
    if let Some(keys) = keys.strings() {
        return Ok(keys.iter().cloned().map(MapKey::Text).collect());
    }
    keys.as_slice::<i64>().map(|keys| keys.iter().copied().map(MapKey::Int).collect()).map_err(|error| error.to_string())
}

fn compare_tensors(actual: &Tensor, expected: &HostTensor, tolerance: Tolerance) -> Result<(), String> {
    if actual.element_type() != expected.element_type() || actual.shape() != expected.shape() {
        return Err(format!("expected a tensor of {expected:?}, found one of {actual:?}"));
    }
    let differ = |difference: Option<Difference>| difference.map_or(Ok(()), |difference| Err(difference.describe(expected.shape())));
    if let Some(expected) = expected.strings() {
        let actual = actual.as_strings().map_err(|error| error.to_string())?;
        return differ(first_difference(actual, expected, |a, e| a == e));
    }
    let actual = actual.to_host().map_err(|error| error.to_string())?;
    match expected.element_type() {
        ElementType::F32 => differ(largest_difference::<f32>(&actual, expected, tolerance, f64::from)?),
        ElementType::F64 => differ(largest_difference::<f64>(&actual, expected, tolerance, |value| value)?),
        ElementType::F16 => differ(largest_difference::<half::f16>(&actual, expected, tolerance, f64::from)?),
        ElementType::Bf16 => {
            let tolerance = Tolerance { relative: tolerance.relative.max(BFLOAT16_TOLERANCE), ..tolerance };
            differ(largest_difference::<half::bf16>(&actual, expected, tolerance, f64::from)?)
        }
        ElementType::Bool => {
            let (actual, expected) = (slice::<Bool>(&actual)?, slice::<Bool>(expected)?);
            differ(first_difference(&actual, &expected, |a, e| a.get() == e.get()))
        }
        ElementType::I64 => differ(first_difference(&slice::<i64>(&actual)?, &slice::<i64>(expected)?, |a, e| a == e)),
        ElementType::I32 => differ(first_difference(&slice::<i32>(&actual)?, &slice::<i32>(expected)?, |a, e| a == e)),
        ElementType::I16 => differ(first_difference(&slice::<i16>(&actual)?, &slice::<i16>(expected)?, |a, e| a == e)),
        ElementType::I8 => differ(first_difference(&slice::<i8>(&actual)?, &slice::<i8>(expected)?, |a, e| a == e)),
        ElementType::U64 => differ(first_difference(&slice::<u64>(&actual)?, &slice::<u64>(expected)?, |a, e| a == e)),
        ElementType::U32 => differ(first_difference(&slice::<u32>(&actual)?, &slice::<u32>(expected)?, |a, e| a == e)),
        ElementType::U16 => differ(first_difference(&slice::<u16>(&actual)?, &slice::<u16>(expected)?, |a, e| a == e)),
        ElementType::U8 => differ(first_difference(&slice::<u8>(&actual)?, &slice::<u8>(expected)?, |a, e| a == e)),
        _ if actual.bytes() == expected.bytes() => Ok(()),
        other => Err(format!("tensors of {other} differ")),
    }
}

fn slice<T: Element>(tensor: &HostTensor) -> Result<std::borrow::Cow<'_, [T]>, String> {
    tensor.as_slice::<T>().map_err(|error| error.to_string())
}

/// Where two tensors differ, for the message.
struct Difference {
    count: usize,
    of: usize,
    index: usize,
    expected: String,
    found: String,
    /// How far apart the two are, where no others are further.
    largest: Option<f64>,
}

impl Difference {
    fn describe(&self, shape: &[usize]) -> String {
        let Self { count, of, index, expected, found, largest } = self;
        let position = position(*index, shape);
        let where_ = match largest {
            Some(largest) => format!("by up to {}, most at {position:?}", crate::format::number(*largest)),
            None => format!("at {position:?} for example"),
        };
        format!("{count} of {of} elements differ, {where_}: expected {expected}, found {found}")
    }
}

/// Indices along each dimension of the element that comes `index`-th in row-major order.
fn position(index: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = index;
    let mut position: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&dim| {
            let here = rest % dim.max(1);
            rest /= dim.max(1);
            here
        })
        .collect();
    position.reverse();
    position
}

fn first_difference<T: std::fmt::Debug>(actual: &[T], expected: &[T], equal: impl Fn(&T, &T) -> bool) -> Option<Difference> {
    let mut different = actual.iter().zip(expected).enumerate().filter(|(_, (actual, expected))| !equal(actual, expected));
    let (index, (found, wanted)) = different.next()?;
    Some(Difference {
        count: 1 + different.count(),
        of: expected.len(),
        index,
        expected: format!("{wanted:?}"),
        found: format!("{found:?}"),
        largest: None,
    })
}

/// The element that is furthest off, if any is outside the tolerance.
fn largest_difference<T: Element>(
    actual: &HostTensor,
    expected: &HostTensor,
    tolerance: Tolerance,
    number: impl Fn(T) -> f64,
) -> Result<Option<Difference>, String> {
    let (actual, expected) = (slice::<T>(actual)?, slice::<T>(expected)?);
    let mut count = 0;
    let mut worst: Option<(f64, usize)> = None;
    for (index, (&found, &wanted)) in actual.iter().zip(expected.iter()).enumerate() {
        let (found, wanted) = (number(found), number(wanted));
        if tolerance.accepts(found, wanted) {
            continue;
        }
        count += 1;
        let size = (found - wanted).abs();
        let size = if size.is_nan() { f64::INFINITY } else { size };
        if worst.is_none_or(|(largest, _)| size > largest) {
            worst = Some((size, index));
        }
    }
    Ok(worst.map(|(size, index)| Difference {
        count,
        of: expected.len(),
        index,
        expected: number(expected[index]).to_string(),
        found: number(actual[index]).to_string(),
        largest: Some(size).filter(|size| size.is_finite()),
    }))
}

/// A value from a file as a run takes it.
pub fn to_value(value: HostValue) -> Result<Value, TensorError> {
    Ok(match value {
        HostValue::Tensor(tensor) => Value::Tensor(Tensor::from_host(&tensor)?),
        HostValue::Sequence(items) => Value::Sequence(items.into_iter().map(to_value).collect::<Result<_, _>>()?),
        HostValue::Map { keys, values } => {
            let keys = map_keys(&keys).map_err(|_| TensorError::NotComputable(keys.element_type()))?;
            let values: Vec<Value> = values.into_iter().map(to_value).collect::<Result<_, _>>()?;
            Value::Map(keys.into_iter().zip(values).collect())
        }
        HostValue::Optional(None) => Value::Absent,
        HostValue::Optional(Some(inner)) => to_value(*inner)?,
    })
}

/// The message that a file for a value of this type holds; a tensor where the model does not say.
pub fn kind_of(value_type: Option<&ValueType>) -> crate::onnx::values::HostValueKind {
    value_type.map_or(crate::onnx::values::HostValueKind::Tensor, crate::onnx::values::HostValueKind::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Tolerance = Tolerance { relative: 1e-3, absolute: 1e-5 };

    fn floats(values: &[f32]) -> (Value, HostValue) {
        let shape = [values.len()];
        (Value::Tensor(Tensor::from_vec(&shape, values.to_vec()).unwrap()), HostValue::Tensor(HostTensor::from_vec(shape.to_vec(), values).unwrap()))
    }

    #[test]
    fn the_rule_is_numpys() {
        // numpy.allclose(actual, expected, rtol=1e-3, atol=1e-5, equal_nan=True)
        let inf = f64::INFINITY;
        let cases = [
            (1.000_9, 1.0, true),
            (1.001_1, 1.0, false),
            (0.000_009, 0.0, true),
            (0.000_011, 0.0, false),
            (f64::NAN, f64::NAN, true),
            (f64::NAN, 1.0, false),
            (1.0, f64::NAN, false),
            (inf, inf, true),
            (-inf, inf, false),
            (1.0, inf, false),
            (inf, 1.0, false),
        ];
        for (actual, expected, is_close) in cases {
            assert_eq!(TOLERANCE.accepts(actual, expected), is_close, "{actual} against {expected}");
        }
    }

    #[test]
    fn a_difference_names_its_place() {
        let actual = Tensor::from_vec(&[2, 2], vec![1.0_f32, 2.0, 3.0, 4.5]).unwrap();
        let expected = HostTensor::from_vec(vec![2, 2], &[1.0_f32, 2.0, 3.1, 4.0]).unwrap();
        assert_eq!(
            compare_tensors(&actual, &expected, TOLERANCE).unwrap_err(),
            "2 of 4 elements differ, by up to 0.5, most at [1, 1]: expected 4, found 4.5"
        );
    }

    #[test]
    fn types_and_shapes_must_be_equal() {
        let (_, expected) = floats(&[1.0, 2.0]);
        let other_shape = Value::Tensor(Tensor::from_vec(&[1, 2], vec![1.0_f32, 2.0]).unwrap());
        let other_type = Value::Tensor(Tensor::from_vec(&[2], vec![1.0_f64, 2.0]).unwrap());
        assert_eq!(compare(&other_shape, &expected, TOLERANCE).unwrap_err(), "expected a tensor of float32[2], found one of float32[1, 2]");
        assert!(compare(&other_type, &expected, TOLERANCE).is_err());
        assert!(compare(&Value::Absent, &expected, TOLERANCE).is_err());
        assert_eq!(compare(&Value::Absent, &HostValue::Optional(None), TOLERANCE), Ok(()));
    }

    #[test]
    fn records_are_a_sequence_of_maps_in_any_order_of_keys() {
        let records = Records {
            keys: [MapKey::Text("no".into()), MapKey::Text("yes".into())].into(),
            values: Tensor::from_vec(&[1, 2], vec![0.25_f32, 0.75]).unwrap(),
        };
        let map = |yes: f32| HostValue::Map {
            keys: HostTensor::from_strings(vec![2], vec!["yes".into(), "no".into()]).unwrap(),
            values: vec![
                HostValue::Tensor(HostTensor::from_vec(vec![], &[yes]).unwrap()),
                HostValue::Tensor(HostTensor::from_vec(vec![1], &[0.25_f32]).unwrap()),
            ],
        };
        let actual = Value::Records(records);
        assert_eq!(compare(&actual, &HostValue::Sequence(vec![map(0.75)]), TOLERANCE), Ok(()));
        assert_eq!(
            compare(&actual, &HostValue::Sequence(vec![map(0.5)]), TOLERANCE).unwrap_err(),
            "item 0: key 'yes': 1 of 1 elements differ, by up to 0.25, most at []: expected 0.5, found 0.75"
        );
        assert!(compare(&actual, &HostValue::Sequence(vec![]), TOLERANCE).is_err());
    }
}

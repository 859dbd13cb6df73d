//! Random numbers. The same seed always gives the same numbers; without one every run gives others. They are made in host memory.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::StandardNormal;

use super::operator::{Outputs, single};
use super::types::{Number, TypeSet, match_number};
use super::{Inputs, NodeContext, OpError, Operator, OpsetRange, Registration, RunContext, shape};
use crate::graph::infer::InferInputs;
use crate::graph::{Dimension, SymbolicShape, ValueType};
use crate::host::{Bool, ElementType};
use crate::tensor::{Shape, Tensor};

/// Specification: <https://onnx.ai/onnx/operators/>, a page per operator. It leaves the generator to the implementation.
///
/// RandomNormal, RandomNormalLike, RandomUniform, RandomUniformLike: 1, 22 (bfloat16). Multinomial: 7, 22. Bernoulli: 15, 22.
pub const OPERATORS: &[Registration] = &[
    register("Bernoulli", 15, Bernoulli::build),
    register("Multinomial", 7, Multinomial::build),
    register("RandomNormal", 1, |node| Random::build(Distribution::normal(node)?, node)),
    register("RandomNormalLike", 1, |node| RandomLike::build(Distribution::normal(node)?, node)),
    register("RandomUniform", 1, |node| Random::build(Distribution::uniform(node)?, node)),
    register("RandomUniformLike", 1, |node| RandomLike::build(Distribution::uniform(node)?, node)),
];

const fn register(op_type: &'static str, first: i64, build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>) -> Registration {
    Registration { domain: "", op_type, opsets: OpsetRange::from(first), build }
}

/// Where random numbers begin; `None` is somewhere else in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seed(pub Option<u64>);

impl Seed {
    /// Attribute `seed`, a float in all operators but Dropout.
    fn of(node: &NodeContext<'_>) -> Result<Self, OpError> {
        Ok(Self(node.attributes.float("seed")?.map(|seed| seed.to_bits().into())))
    }

    /// A new generator, whose numbers do not change with the machine or the version of the library.
    pub fn generator(self) -> Xoshiro256PlusPlus {
        match self.0 {
            Some(seed) => Xoshiro256PlusPlus::seed_from_u64(seed),
            None => Xoshiro256PlusPlus::from_rng(&mut rand::rng()),
        }
    }
}

/// Attribute `dtype`, if it is there and one of `types`.
fn element_type(node: &NodeContext<'_>, types: TypeSet) -> Result<Option<ElementType>, OpError> {
    let Some(code) = node.attributes.int("dtype")? else { return Ok(None) };
    let found = i32::try_from(code).ok().and_then(ElementType::from_onnx);
    let found = found.ok_or_else(|| OpError::value(format!("attribute 'dtype' is {code}, which is no element type")))?;
    if (types.contains)(found) {
        return Ok(Some(found));
    }
    Err(OpError::value(format!("attribute 'dtype' is {found}; it should be one of {}", types.name)))
}

#[derive(Debug, Clone, Copy)]
enum Distribution {
    Normal { mean: f32, deviation: f32 },
    Uniform { low: f32, high: f32 },
}

impl Distribution {
    fn normal(node: &NodeContext<'_>) -> Result<Self, OpError> {
        let (mean, deviation) = (node.attributes.float("mean")?.unwrap_or(0.0), node.attributes.float("scale")?.unwrap_or(1.0));
        if deviation >= 0.0 {
            return Ok(Self::Normal { mean, deviation });
        }
        Err(OpError::value(format!("attribute 'scale' is {deviation}; a standard deviation is not negative")))
    }

    fn uniform(node: &NodeContext<'_>) -> Result<Self, OpError> {
        let (low, high) = (node.attributes.float("low")?.unwrap_or(0.0), node.attributes.float("high")?.unwrap_or(1.0));
        if low <= high {
            return Ok(Self::Uniform { low, high });
        }
        Err(OpError::value(format!("attributes 'low' and 'high' are {low} and {high}; low must not be above high")))
    }

    fn draw(self, seed: Seed, to: ElementType, dims: &[usize], context: &RunContext<'_>) -> Result<Tensor, OpError> {
        let n_elements = context.check_result_size(to, dims)?;
        let mut generator = seed.generator();
        let mut next = || match self {
            Self::Normal { mean, deviation } => f64::from(mean) + f64::from(deviation) * generator.sample::<f64, _>(StandardNormal),
            Self::Uniform { low, high } => f64::from(low) + (f64::from(high) - f64::from(low)) * generator.random::<f64>(),
        };
        match_number!(
            to,
            T => Ok(Tensor::from_vec(dims, (0..n_elements).map(|_| T::from_f64(next())).collect())?),
            else Err(OpError::unsupported(format!("random numbers of {to}")))
        )
    }
}

/// RandomNormal and RandomUniform: the shape is an attribute.
#[derive(Debug)]
struct Random {
    distribution: Distribution,
    seed: Seed,
    to: ElementType,
    shape: Shape,
}

impl Random {
    fn build(distribution: Distribution, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        let to = element_type(node, TypeSet::FLOATS)?.unwrap_or(ElementType::F32);
        let shape = shape::to_shape(node.attributes.require_ints("shape")?)?;
        Ok(Box::new(Self { distribution, seed: Seed::of(node)?, to, shape }))
    }
}

impl Operator for Random {
    fn infer(&self, _inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(ValueType::tensor(self.to, self.shape.as_slice()))])
    }

    fn run(&self, _inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        self.distribution.draw(self.seed, self.to, &self.shape, context).map(single)
    }

    fn is_deterministic(&self) -> bool {
        self.seed.0.is_some()
    }
}

/// RandomNormalLike and RandomUniformLike: the shape, and unless an attribute says otherwise the type, are the input's.
#[derive(Debug)]
struct RandomLike {
    distribution: Distribution,
    seed: Seed,
    to: Option<ElementType>,
}

impl RandomLike {
    fn build(distribution: Distribution, node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { distribution, seed: Seed::of(node)?, to: element_type(node, TypeSet::FLOATS)? }))
    }
}

impl Operator for RandomLike {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).map(|(found, shape)| ValueType::tensor(self.to.unwrap_or(found), shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        if self.to.is_none() {
            TypeSet::FLOATS.check(&input, 0, "input")?;
        }
        self.distribution.draw(self.seed, self.to.unwrap_or(input.element_type()), input.shape(), context).map(single)
    }

    fn is_deterministic(&self) -> bool {
        self.seed.0.is_some()
    }
}

/// 1 with the probability that the input says, else 0.
#[derive(Debug)]
struct Bernoulli {
    seed: Seed,
    to: Option<ElementType>,
}

impl Bernoulli {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        Ok(Box::new(Self { seed: Seed::of(node)?, to: element_type(node, TypeSet::NUMBERS_AND_BOOL)? }))
    }
}

impl Operator for Bernoulli {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![inputs.tensor(0).map(|(found, shape)| ValueType::tensor(self.to.unwrap_or(found), shape.clone()))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let probabilities = to_f64s(&input)?;
        if let Some(wrong) = probabilities.iter().find(|probability| !(0.0..=1.0).contains(*probability)) {
            return Err(OpError::value(format!("the input holds {wrong}, which is no probability (0 to 1)")));
        }
        let to = self.to.unwrap_or(input.element_type());
        context.check_result_size(to, input.shape())?;
        let mut generator = self.seed.generator();
        let mut flags = probabilities.iter().map(|&probability| generator.random::<f64>() < probability);
        if to == ElementType::Bool {
            return Ok(single(Tensor::from_vec(input.shape(), flags.map(Bool::new).collect())?));
        }
        match_number!(
            to,
            T => Ok(single(Tensor::from_vec(input.shape(), flags.by_ref().map(|flag| if flag { T::ONE } else { T::ZERO }).collect())?)),
            else Err(OpError::unsupported(format!("Bernoulli to {to}")))
        )
    }

    fn is_deterministic(&self) -> bool {
        self.seed.0.is_some()
    }
}

/// The elements of a tensor of floats.
fn to_f64s(input: &Tensor) -> Result<Vec<f64>, OpError> {
    TypeSet::FLOATS.check(input, 0, "input")?;
    let found = input.element_type();
    match_number!(
        found,
        T => Ok(input.as_slice::<T>()?.iter().map(|&value| value.to_f64()).collect()),
        else Err(OpError::unsupported(format!("probabilities of {found}")))
    )
}

/// Draws outcomes. Each row of the input has the logarithms of the outcomes' probabilities, up to a common factor.
#[derive(Debug)]
struct Multinomial {
    seed: Seed,
    to: ElementType,
    n_samples: usize,
}

impl Multinomial {
    fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
        let n_samples = node.attributes.int("sample_size")?.unwrap_or(1);
        let n_samples =
            usize::try_from(n_samples).map_err(|_| OpError::value(format!("attribute 'sample_size' is {n_samples}; it must not be negative")))?;
        Ok(Box::new(Self { seed: Seed::of(node)?, to: element_type(node, TypeSet::INDICES)?.unwrap_or(ElementType::I32), n_samples }))
    }
}

impl Operator for Multinomial {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let rows = inputs.tensor(0).and_then(|(_, shape)| shape.dims()?.first().cloned()).unwrap_or(Dimension::Unknown);
        Ok(vec![Some(ValueType::tensor(self.to, SymbolicShape::from(vec![rows, Dimension::Known(self.n_samples)])))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let input = inputs.take_tensor(0, "input")?;
        let logits = to_f64s(&input)?;
        let &[n_rows, n_outcomes] = input.shape() else {
            return Err(OpError::shape(format!("the input of shape {:?} should be [batch, outcomes]", input.shape())));
        };
        let dims = [n_rows, self.n_samples];
        let n_elements = context.check_result_size(self.to, &dims)?;
        if n_elements > 0 && n_outcomes == 0 {
            return Err(OpError::shape("there are no outcomes to draw from"));
        }
        let mut generator = self.seed.generator();
        let mut drawn: Vec<i64> = Vec::with_capacity(n_elements);
        for (row, logits) in logits.chunks(n_outcomes.max(1)).enumerate().take(n_rows) {
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut total = 0.0;
            let running: Vec<f64> = logits
                .iter()
                .map(|logit| {
                    total += (logit - largest).exp();
                    total
                })
                .collect();
            if !total.is_finite() || total <= 0.0 {
                return Err(OpError::value(format!("row {row} of the input holds no probabilities: their sum is {total}")));
            }
            for _ in 0..self.n_samples {
                let at = generator.random::<f64>() * total;
                // Rounding could lead past the end.
                let outcome = running.partition_point(|&sum| sum <= at).min(n_outcomes - 1);
                drawn.push(i64::try_from(outcome).unwrap_or(i64::MAX));
            }
        }
        Ok(single(if self.to == ElementType::I64 {
            Tensor::from_vec(&dims, drawn)?
        } else {
            let narrow = |outcome: i64| i32::try_from(outcome).map_err(|_| OpError::value(format!("outcome {outcome} does not fit int32")));
            Tensor::from_vec(&dims, drawn.into_iter().map(narrow).collect::<Result<_, _>>()?)?
        }))
    }

    fn is_deterministic(&self) -> bool {
        self.seed.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use crate::host::ElementType;
    use crate::ops::testing::{assert_bools, assert_tensor, op, strings, tensor, typed};
    use crate::tensor::Tensor;

    const N: usize = 20_000;

    fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / n;
        (mean, (values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        for op_type in ["RandomNormal", "RandomUniform"] {
            let seeded = |seed: f32| op(op_type).ints("shape", &[2, 3]).float("seed", seed).run1([]).to_f32s().unwrap();
            assert_eq!(seeded(1.0), seeded(1.0));
            assert_ne!(seeded(1.0), seeded(2.0));
            assert_ne!(op(op_type).ints("shape", &[8]).run1([]).to_f32s().unwrap(), op(op_type).ints("shape", &[8]).run1([]).to_f32s().unwrap());
            assert!(op(op_type).ints("shape", &[1]).float("seed", 1.0).build(0).unwrap().is_deterministic());
            assert!(!op(op_type).ints("shape", &[1]).build(0).unwrap().is_deterministic());
        }
        // A promise to those who store a seed: the numbers stay when the library changes.
        let first = op("RandomUniform").ints("shape", &[3]).int("dtype", 11).float("seed", 7.0).run1([]);
        assert_tensor(&first, &[3], &FIRST_OF_SEED_7);
    }

    const FIRST_OF_SEED_7: [f64; 3] = [0.344_513_242_092_985_7, 0.376_388_962_917_126_4, 0.762_880_712_776_180_1];

    #[test]
    fn distributions_have_their_mean_and_deviation() {
        // Within 5 standard errors of the truth.
        let shape = [i64::try_from(N).unwrap()];
        let normal = op("RandomNormal").ints("shape", &shape).float("seed", 3.0).float("mean", 2.0).float("scale", 0.5).run1([]).to_f32s().unwrap();
        let (mean, deviation) = mean_and_deviation(&normal);
        assert!((mean - 2.0).abs() < 0.018 && (deviation - 0.5).abs() < 0.013, "{mean} {deviation}");
        let uniform = op("RandomUniform").ints("shape", &shape).float("seed", 3.0).float("low", -1.0).float("high", 3.0).run1([]).to_f32s().unwrap();
        let (mean, deviation) = mean_and_deviation(&uniform);
        assert!((mean - 1.0).abs() < 0.041 && (deviation - 1.154_7).abs() < 0.02, "{mean} {deviation}");
        assert!(uniform.iter().all(|value| (-1.0..=3.0).contains(value)));
        let coins = op("Bernoulli").opset(15).float("seed", 3.0).run1([tensor(&[N], &vec![0.25_f32; N])]).to_f32s().unwrap();
        let (mean, _) = mean_and_deviation(&coins);
        assert!((mean - 0.25).abs() < 0.016, "{mean}");
        // Probabilities 1/4, 0 and 3/4.
        let logits = tensor(&[1, 3], &[1.0_f32, f32::NEG_INFINITY, 1.0 + 3.0_f32.ln()]);
        let drawn = op("Multinomial").int("sample_size", 20_000).float("seed", 3.0).run1([logits]);
        assert_eq!((drawn.shape(), drawn.element_type()), ([1, N].as_slice(), ElementType::I32));
        let drawn = drawn.to_i64s().unwrap();
        let share = drawn.iter().filter(|&&outcome| outcome == 0).count() as f64 / N as f64;
        assert!((share - 0.25).abs() < 0.016 && !drawn.contains(&1), "{share}");
    }

    #[test]
    fn shapes_and_types_are_as_asked() {
        let like = op("RandomNormalLike").float("seed", 0.0);
        assert_eq!(like.run1([tensor(&[2, 0], &[] as &[f16])]).element_type(), ElementType::F16);
        let drawn = like.clone().int("dtype", 11).run1([strings(&[2], &["a", "b"])]);
        assert_eq!((drawn.element_type(), drawn.shape()), (ElementType::F64, [2].as_slice()));
        assert_eq!(op("RandomUniform").ints("shape", &[]).run1([]).rank(), 0);
        assert_bools(&op("Bernoulli").int("dtype", 9).run1([tensor(&[2], &[0.0_f32, 1.0])]), &[2], &[false, true]);
        assert_tensor(&op("Bernoulli").int("dtype", 7).run1([tensor(&[2], &[1.0_f64, 0.0])]), &[2], &[1_i64, 0]);
        assert_tensor::<i64>(&op("Multinomial").int("dtype", 7).run1([tensor::<f32>(&[0, 3], &[])]), &[0, 1], &[]);
        assert_eq!(op("RandomUniform").ints("shape", &[2, 3]).int("dtype", 10).infer([]), [Some("float16[2, 3]".to_owned())]);
        assert_eq!(like.infer([typed::<f64>("n")]), [Some("float64[n]".to_owned())]);
        assert_eq!(op("Multinomial").int("sample_size", 4).infer([typed::<f32>("n, 3")]), [Some("int32[n, 4]".to_owned())]);
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        assert!(op("RandomNormal").error([]).contains("attribute 'shape' is missing"));
        assert_eq!(op("RandomNormal").ints("shape", &[-1]).error([]), "dimension -1 in shape [-1] is negative");
        assert!(op("RandomNormal").ints("shape", &[i64::MAX]).error([]).contains("more than the limit"));
        assert!(op("RandomNormal").ints("shape", &[1]).float("scale", -1.0).error([]).contains("not negative"));
        assert!(op("RandomUniform").ints("shape", &[1]).float("low", 2.0).error([]).contains("low must not be above high"));
        assert!(op("RandomUniform").ints("shape", &[1]).int("dtype", 7).error([]).contains("one of floating-point numbers"));
        assert!(op("RandomUniformLike").error([tensor(&[1], &[1_i64])]).contains("floating-point numbers"));
        assert_eq!(op("Bernoulli").error([Tensor::scalar(1.5_f32)]), "the input holds 1.5, which is no probability (0 to 1)");
        assert!(op("Bernoulli").error([Tensor::scalar(f32::NAN)]).contains("no probability"));
        assert!(op("Multinomial").error([Tensor::scalar(1.0_f32)]).contains("[batch, outcomes]"));
        assert!(op("Multinomial").error([tensor::<f32>(&[1, 0], &[])]).contains("no outcomes"));
        assert!(op("Multinomial").error([tensor(&[1, 1], &[f32::NAN])]).contains("no probabilities"));
        assert!(op("Multinomial").int("sample_size", -1).error([tensor(&[1, 1], &[0.0_f32])]).contains("must not be negative"));
    }
}

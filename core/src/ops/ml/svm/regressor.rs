//! SVMRegressor.

use super::kernel::{Kernel, Vectors};
use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::host::ElementType;
use crate::ops::ml::{matrix_shape, numbers, rows_by};
use crate::ops::operator::{Outputs, single};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};
use crate::tensor::Tensor;

/// `Σ coefficient * kernel(x, support vector) + rho`; or, for a single class, on which side of zero that lies. Attribute `post_transform` has
/// no effect, as in ONNX Runtime.
#[derive(Debug)]
struct SvmRegressor {
    vectors: Vectors,
    /// One for each vector.
    coefficients: Vec<f32>,
    rho: f32,
    /// Whether 1 (inside) or -1 (outside) is put out.
    is_one_class: bool,
}

pub(in crate::ops::ml) fn build(node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    let attributes = node.attributes;
    let coefficients = attributes.require_floats("coefficients")?.to_vec();
    let rho = *attributes.require_floats("rho")?.first().ok_or_else(|| OpError::value("rho is empty; the operator needs one value"))?;
    let is_one_class = attributes.int("one_class")?.unwrap_or(0) != 0;
    let n_supports = attributes.int("n_supports")?.unwrap_or(0);
    let n_supports = usize::try_from(n_supports).map_err(|_| OpError::value(format!("n_supports is {n_supports}, which is no number of vectors")))?;
    let kernel = Kernel::from_attributes(attributes)?;
    if n_supports == 0 {
        // A linear model: the coefficients are the only vector.
        let vectors = Vectors::new(Kernel::Linear, "coefficients", coefficients, 1)?;
        return Ok(Box::new(SvmRegressor { vectors, coefficients: vec![1.0], rho, is_one_class }));
    }
    if coefficients.len() != n_supports {
        return Err(OpError::value(format!("{} coefficients are given for {n_supports} support vectors", coefficients.len())));
    }
    let support_vectors = attributes.require_floats("support_vectors")?.to_vec();
    let vectors = Vectors::new(kernel, "support_vectors", support_vectors, n_supports)?;
    Ok(Box::new(SvmRegressor { vectors, coefficients, rho, is_one_class }))
}

impl Operator for SvmRegressor {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        Ok(vec![Some(rows_by(inputs, ElementType::F32, 1))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let x = inputs.take_tensor(0, "X")?;
        let (n_rows, n_features) = matrix_shape(0, "X", &x)?;
        check_features(n_features, &self.vectors)?;
        context.check_result_size(ElementType::F32, &[n_rows, 1])?;
        let (outputs, _) = self.vectors.for_each_row(&numbers(0, "X", &x)?, n_rows, 1, |kernels, output| {
            let sum: f32 = kernels.iter().zip(&self.coefficients).map(|(kernel, coefficient)| kernel * coefficient).sum();
            let y = sum + self.rho;
            output[0] = match self.is_one_class {
                false => y,
                true if y > 0.0 => 1.0,
                true => -1.0,
            };
        });
        Ok(single(Tensor::from_vec(&[n_rows, 1], outputs)?))
    }
}

/// Refuses rows of another length than the vectors have.
pub(super) fn check_features(n_features: usize, vectors: &Vectors) -> Result<(), OpError> {
    let expected = vectors.n_features();
    if n_features == expected { Ok(()) } else { Err(OpError::shape(format!("X has {n_features} features, but the model's vectors have {expected}"))) }
}

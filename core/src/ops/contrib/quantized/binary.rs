//! QLinearAdd and QLinearMul.

use crate::graph::ValueType;
use crate::graph::infer::InferInputs;
use crate::ops::broadcast::{Walk, broadcast_symbolic};
use crate::ops::operator::{Outputs, single};
use crate::ops::quantize::operands::{EightBits, Target, Uniform};
use crate::ops::{Inputs, NodeContext, OpError, Operator, RunContext};

#[derive(Debug, Clone, Copy)]
enum Kind {
    Add,
    Mul,
}

/// A op B, broadcast as numpy does. Inputs: A and B, each with scale and zero point, then scale and zero point of the result.
#[derive(Debug)]
struct Binary {
    kind: Kind,
}

pub fn build_add(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Binary { kind: Kind::Add }))
}

pub fn build_mul(_node: &NodeContext<'_>) -> Result<Box<dyn Operator>, OpError> {
    Ok(Box::new(Binary { kind: Kind::Mul }))
}

/// What each byte of an operand means, in steps of the result where `factor` is the ratio of the scales.
fn steps(operand: &Uniform, factor: f32) -> [f32; 256] {
    Uniform { tensor: operand.tensor.clone(), scale: factor, zero_point: operand.zero_point }.table()
}

impl Operator for Binary {
    fn infer(&self, inputs: &InferInputs<'_>) -> Result<Vec<Option<ValueType>>, OpError> {
        let (Some((element_type, a)), Some((_, b))) = (inputs.tensor(0), inputs.tensor(3)) else { return Ok(vec![None]) };
        Ok(vec![Some(ValueType::tensor(element_type, broadcast_symbolic(a, b)?))])
    }

    fn run(&self, mut inputs: Inputs, context: &RunContext<'_>) -> Result<Outputs, OpError> {
        let a = Uniform::take(&mut inputs, 0, ["A", "A_scale", "A_zero_point"])?;
        let b = Uniform::take(&mut inputs, 3, ["B", "B_scale", "B_zero_point"])?;
        let target = Target::take(&mut inputs, 6, ["C_scale", "C_zero_point"], a.tensor.element_type())?;
        let walk = Walk::new([a.tensor.shape(), b.tensor.shape()])?;
        context.check_result_size(target.element_type, walk.shape())?;
        let (left, right) = (EightBits::new(&a.tensor, 0, "A")?, EightBits::new(&b.tensor, 3, "B")?);
        let look_up = |table: &[f32; 256], byte: u8| table[usize::from(byte)];
        let bytes = match self.kind {
            Kind::Add => {
                let (a, b) = (steps(&a, a.scale / target.scale), steps(&b, b.scale / target.scale));
                walk.map(&left.bytes, &right.bytes, |left, right| target.nearest(look_up(&a, left) + look_up(&b, right)))
            }
            Kind::Mul => {
                let factor = a.scale * b.scale / target.scale;
                let (a, b) = (steps(&a, 1.0), steps(&b, 1.0));
                walk.map(&left.bytes, &right.bytes, |left, right| target.nearest(look_up(&a, left) * look_up(&b, right) * factor))
            }
        };
        target.tensor(walk.shape(), bytes).map(single)
    }
}

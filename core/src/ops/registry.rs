//! Which operators Drydock runs: every family's table, looked up by domain, type and opset.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Body, NodeContext, OpError, Operator};
use crate::graph::Node;
use crate::host::HostTensor;

/// One line of a family's `OPERATORS` table.
pub struct Registration {
    /// `""` for the default domain.
    pub domain: &'static str,
    pub op_type: &'static str,
    /// Opsets in which the operator exists and `build` knows its meaning.
    pub opsets: OpsetRange,
    pub build: fn(&NodeContext<'_>) -> Result<Box<dyn Operator>, OpError>,
}

/// First and last opset (inclusive) of the operator's domain; `None` = up to the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpsetRange {
    pub first: i64,
    pub last: Option<i64>,
}

impl OpsetRange {
    pub const fn from(first: i64) -> Self {
        Self { first, last: None }
    }

    pub fn contains(self, opset: i64) -> bool {
        opset >= self.first && self.last.is_none_or(|last| opset <= last)
    }
}

/// The families, in alphabetical order.
const FAMILIES: &[&[Registration]] = &[
    super::activation::OPERATORS,
    super::attention::OPERATORS,
    super::bitwise::OPERATORS,
    super::concat::OPERATORS,
    super::constant::OPERATORS,
    super::control_flow::OPERATORS,
    super::contrib::OPERATORS,
    super::conv::OPERATORS,
    super::detection::OPERATORS,
    super::cumulative::OPERATORS,
    super::einsum::OPERATORS,
    super::elementwise::OPERATORS,
    super::gather::OPERATORS,
    super::image::OPERATORS,
    super::layout::OPERATORS,
    super::logic::OPERATORS,
    super::loss::OPERATORS,
    super::matmul::OPERATORS,
    super::matrices::OPERATORS,
    super::ml::OPERATORS,
    super::normalization::OPERATORS,
    super::pooling::OPERATORS,
    super::quantize::OPERATORS,
    super::random::OPERATORS,
    super::recurrent::OPERATORS,
    super::reduce::OPERATORS,
    super::resize::OPERATORS,
    super::sampling::OPERATORS,
    super::scatter::OPERATORS,
    super::selection::OPERATORS,
    super::sequence::OPERATORS,
    super::signal::OPERATORS,
    super::text::OPERATORS,
];

/// Every registered operator.
pub fn registrations() -> impl Iterator<Item = &'static Registration> {
    FAMILIES.iter().copied().flatten()
}

/// The registration for an operator at an opset, or why there is none.
pub fn find(domain: &str, op_type: &str, opset: i64) -> Result<&'static Registration, Unavailable> {
    let domain = if domain == "ai.onnx" { "" } else { domain };
    let mut is_known_type = false;
    let mut is_known_domain = false;
    for registration in registrations().filter(|registration| registration.domain == domain) {
        is_known_domain = true;
        if registration.op_type == op_type {
            is_known_type = true;
            if registration.opsets.contains(opset) {
                return Ok(registration);
            }
        }
    }
    Err(if is_known_type {
        Unavailable::Opset
    } else if is_known_domain {
        Unavailable::Operator
    } else {
        Unavailable::Domain
    })
}

/// Why an operator is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    Domain,
    Operator,
    Opset,
}

/// Why a node has no operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildError {
    /// There is none of that name, domain and opset here: the end of a sentence.
    Unavailable(String),
    /// There is one, but it refuses the node's attributes.
    Operator(OpError),
}

/// Finds and builds the operator of a node. `constants` stand behind its inputs, as far as the caller wants to show them; `bodies` are the
/// subgraphs in its attributes.
pub fn build(
    opsets: &BTreeMap<String, i64>,
    node: &Node,
    constants: &[Option<&HostTensor>],
    bodies: &[(&str, Arc<dyn Body>)],
) -> Result<Box<dyn Operator>, BuildError> {
    let (registration, opset) = find_for(opsets, node).map_err(BuildError::Unavailable)?;
    let context = NodeContext {
        op_type: &node.op_type,
        attributes: &node.attributes,
        opset,
        n_inputs: node.inputs.len(),
        n_outputs: node.outputs.len(),
        constants,
        bodies,
    };
    (registration.build)(&context).map_err(BuildError::Operator)
}

/// The registration for a node and its opset; or why there is none, as the end of a sentence.
pub fn find_for(opsets: &BTreeMap<String, i64>, node: &Node) -> Result<(&'static Registration, i64), String> {
    let domain = if node.domain.is_empty() { "ai.onnx" } else { &node.domain };
    let opset =
        node.opset.or_else(|| opsets.get(&node.domain).copied()).ok_or_else(|| format!("the model imports no opset for the domain '{domain}'"))?;
    let registration = find(&node.domain, &node.op_type, opset).map_err(|reason| match reason {
        Unavailable::Domain => format!("Drydock has no operators of the domain '{domain}'"),
        Unavailable::Operator => format!("Drydock does not run this operator of '{domain}' (opset {opset})"),
        Unavailable::Opset => format!("Drydock does not run this operator at opset {opset} of '{domain}'"),
    })?;
    Ok((registration, opset))
}

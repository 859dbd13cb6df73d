//! What a version weighs.

use crate::graph::Model;
use crate::graph::cost::{self, GraphCost};
use crate::graph::infer::infer_types_from;
use crate::ops::inference::BuiltOperators;

/// Weights, and multiply-accumulates of one row.
pub fn cost(model: &Model) -> GraphCost {
    let operators = BuiltOperators::new(model);
    let (types, _) = infer_types_from(&model.graph, &operators, cost::types_for_one_row(&model.graph));
    cost::cost(&model.graph, &operators, &types)
}

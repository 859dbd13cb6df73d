//! A model made ready to answer for rows: where their cells go, the plan, and how its outputs are read.

use crate::contract::{Answers, Column, InputLayout, InputRows, OutputLayout};
use crate::engine::{Plan, RunError};
use crate::model::OpenModel;
use crate::task::TaskCtx;
use crate::tensor::Value;

/// Built once, used for any number of batches from any number of threads.
pub struct Predictor<'a> {
    plan: &'a Plan,
    pub inputs: InputLayout,
    pub outputs: OutputLayout,
}

/// A batch has no answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error(transparent)]
    Run(#[from] RunError),
    /// The model ran, but what it returned does not go with the rows or the contract.
    #[error("the model's answers can't be read: {0}")]
    Unreadable(String),
}

impl<'a> Predictor<'a> {
    /// A predictor fed by `columns`; a sentence where they don't fill the model's inputs.
    pub fn new(model: &'a OpenModel, plan: &'a Plan, columns: &[Column]) -> Result<Self, String> {
        let inputs = InputLayout::new(&model.model, columns)?;
        Ok(Self { plan, inputs, outputs: OutputLayout::new(&model.model, &model.contract) })
    }

    /// Rows per batch: as many as the caller would like, unless the model's shape says how many.
    pub fn batch_rows(&self, wanted: usize) -> usize {
        self.inputs.fixed_rows.unwrap_or(wanted).max(1)
    }

    /// Answers for a batch of at most [`Self::batch_rows`].
    pub fn answer(&self, ctx: &TaskCtx, rows: InputRows<'_>) -> Result<Answers, AnswerError> {
        let n_rows = rows.n_rows();
        let inputs = rows.finish(self.inputs.fixed_rows.unwrap_or(0)).map_err(RunError::Results)?;
        let outputs = self.plan.run(ctx, inputs)?;
        self.outputs.read(outputs, n_rows).map_err(AnswerError::Unreadable)
    }
}

/// Answers for inputs made elsewhere, such as a picture.
pub fn answer_values(ctx: &TaskCtx, model: &OpenModel, plan: &Plan, inputs: Vec<(String, Value)>) -> Result<Answers, AnswerError> {
    let outputs = plan.run(ctx, inputs)?;
    OutputLayout::new(&model.model, &model.contract).read(outputs, 1).map_err(AnswerError::Unreadable)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::contract::Contract;
    use crate::contract::testing::{input, node, output, tensor_type};
    use crate::data::{Cell, ColumnData};
    use crate::graph::Model;
    use crate::host::ElementType;
    use crate::tensor::Device;

    /// A model that takes two rows at a time, no more and no fewer.
    fn pairs_only() -> OpenModel {
        let mut model = Model { opset_imports: [(String::new(), 21)].into(), ..Model::default() };
        input(&mut model.graph, "x", tensor_type(ElementType::F32, &[Some(2), Some(1)]));
        output(&mut model.graph, "y", tensor_type(ElementType::F32, &[Some(2), Some(1)]));
        let negation = node(&mut model.graph, "Neg", &["x"], &["y"]);
        model.graph.nodes.push(negation);
        let contract = Contract::for_model(&model, Path::new("/nowhere/pairs.onnx")).unwrap();
        OpenModel::from_parts("pairs.onnx".into(), 0, model, contract, Device::Cpu)
    }

    #[test]
    fn a_model_with_a_fixed_batch_answers_for_fewer_rows() {
        let model = pairs_only();
        let predictor = Predictor::new(&model, model.plan().unwrap(), &model.contract.columns).unwrap();
        assert_eq!(predictor.batch_rows(100), 2);
        for cells in [vec![1.5, -2.0], vec![7.0]] {
            let mut rows = InputRows::new(&predictor.inputs, 2).unwrap();
            for &cell in &cells {
                rows.push(|_| Cell::Number(cell)).unwrap();
            }
            let answers = predictor.answer(&TaskCtx::unattended(), rows).unwrap();
            assert_eq!(answers.prediction, Some(ColumnData::F32(cells.iter().map(|&cell| -cell as f32).collect())));
        }
    }
}

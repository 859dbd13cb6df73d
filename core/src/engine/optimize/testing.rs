//! Models for tests of the passes: an optimised plan is held against the same graph operator by operator, over burn.

use crate::contract::testing::{input, node, tensor_type};
use crate::engine::{Plan, PlanOptions};
use crate::graph::{Attribute, Model};
use crate::host::{ElementType, HostTensor};
use crate::task::TaskCtx;
use crate::tensor::{Tensor, Value};

/// Elements from -1 to 1 without a pattern.
fn noise(shape: &[usize], seed: usize) -> Vec<f32> {
    (0..shape.iter().product()).map(|at: usize| ((at * 7919 + seed * 104_729) % 1999) as f32 / 999.5 - 1.0).collect()
}

/// A model, and inputs for it.
pub struct Case {
    pub model: Model,
    inputs: Vec<(String, Value)>,
}

impl Case {
    /// A graph from `x` of a shape to `y`.
    pub fn new(shape: &[usize]) -> Self {
        let mut case = Self { model: Model { opset_imports: [(String::new(), 21)].into(), ..Model::default() }, inputs: Vec::new() };
        case.input("x", shape);
        let y = case.model.graph.value_named("y");
        case.model.graph.outputs.push(y);
        case
    }

    pub fn input(&mut self, name: &str, shape: &[usize]) {
        input(&mut self.model.graph, name, tensor_type(ElementType::F32, &shape.iter().copied().map(Some).collect::<Vec<_>>()));
        self.inputs.push((name.to_owned(), Value::Tensor(Tensor::from_vec(shape, noise(shape, self.inputs.len())).unwrap())));
    }

    pub fn constant(&mut self, name: &str, shape: &[usize]) {
        let tensor = HostTensor::from_vec(shape.to_vec(), &noise(shape, name.len() + 17)).unwrap();
        let id = self.model.graph.value_named(name);
        self.model.graph.initializers.insert(id, tensor.into());
    }

    /// Elements from 0.5 to 1.5.
    pub fn positive(&mut self, name: &str, shape: &[usize]) {
        let elements: Vec<f32> = noise(shape, name.len()).into_iter().map(|value| 1.0 + value / 2.0).collect();
        let id = self.model.graph.value_named(name);
        self.model.graph.initializers.insert(id, HostTensor::from_vec(shape.to_vec(), &elements).unwrap().into());
    }

    pub fn node(&mut self, op_type: &str, inputs: &[&str], made: &str, attributes: &[(&str, Attribute)]) {
        let mut node = node(&mut self.model.graph, op_type, inputs, &[made]);
        node.attributes.0.extend(attributes.iter().map(|(name, attribute)| ((*name).to_owned(), attribute.clone())));
        self.model.graph.nodes.push(node);
    }

    pub fn plan(&self, optimize: bool) -> Plan {
        Plan::compile(&TaskCtx::unattended(), &self.model, &PlanOptions { optimize, ..PlanOptions::default() }).unwrap()
    }

    /// The fused plan has so many steps and computes what the others do.
    #[track_caller]
    pub fn check(&self, n_steps: usize) {
        let plan = self.plan(true);
        assert_eq!(plan.n_steps(), n_steps);
        let run = |plan: &Plan| plan.run(&TaskCtx::unattended(), self.inputs.clone()).unwrap();
        for (found, expected) in run(&plan).iter().zip(run(&self.plan(false))) {
            let (found, expected) = (found.as_tensor().unwrap(), expected.as_tensor().unwrap());
            assert_eq!(found.shape(), expected.shape());
            for (found, expected) in found.as_slice::<f32>().unwrap().iter().zip(expected.as_slice::<f32>().unwrap().iter()) {
                assert!((found - expected).abs() < 1e-4 + 1e-4 * expected.abs(), "{found} instead of {expected}");
            }
        }
    }
}

pub fn ints(values: &[i64]) -> Attribute {
    Attribute::Ints(values.to_vec())
}

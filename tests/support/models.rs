//! Small models made in Rust, for tests that need a shape of graph that no file has.

use drydock_core::graph::{Attribute, Attributes, Dimension, Model, Node, ValueId, ValueType};
use drydock_core::host::{Element, ElementType, HostTensor};

/// Builds a model node by node, in the order of execution.
#[derive(Debug, Default)]
pub struct ModelBuilder {
    model: Model,
}

impl ModelBuilder {
    pub fn new(opset: i64) -> Self {
        let mut model = Model { ir_version: 8, producer_name: "drydock tests".to_owned(), ..Model::default() };
        model.opset_imports.insert(String::new(), opset);
        model.graph.name = "test".to_owned();
        Self { model }
    }

    /// A float32 input. Dimension 0 is written as the symbol N when `is_batched`.
    pub fn input(&mut self, name: &str, shape: &[usize], is_batched: bool) -> ValueId {
        let mut dims: Vec<Dimension> = shape.iter().map(|&dim| Dimension::Known(dim)).collect();
        if let (true, Some(first)) = (is_batched, dims.first_mut()) {
            *first = Dimension::Symbol("N".to_owned());
        }
        let id = self.model.graph.value_named(name);
        let value = self.model.graph.value_mut(id);
        value.value_type = Some(ValueType::tensor(ElementType::F32, dims));
        value.is_declared = true;
        self.model.graph.inputs.push(id);
        id
    }

    pub fn constant<T: Element>(&mut self, shape: &[usize], elements: &[T]) -> ValueId {
        let id = self.model.graph.fresh_value("constant");
        self.model.graph.initializers.insert(id, HostTensor::from_vec(shape.to_vec(), elements).unwrap().into());
        id
    }

    /// A node of the default domain with one output.
    pub fn node(&mut self, op_type: &str, inputs: &[ValueId], attributes: &[(&str, Attribute)]) -> ValueId {
        let output = self.model.graph.fresh_value(&op_type.to_lowercase());
        let attributes = attributes.iter().map(|(name, attribute)| ((*name).to_owned(), attribute.clone())).collect();
        self.model.graph.nodes.push(Node {
            name: format!("node_{}", self.model.graph.nodes.len()),
            op_type: op_type.to_owned(),
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: vec![Some(output)],
            attributes: Attributes(attributes),
            ..Node::default()
        });
        output
    }

    /// The model with one float32 output.
    pub fn finish(mut self, output: ValueId, shape: &[usize]) -> Model {
        let dims: Vec<Dimension> = shape.iter().map(|&dim| Dimension::Known(dim)).collect();
        let value = self.model.graph.value_mut(output);
        value.value_type = Some(ValueType::tensor(ElementType::F32, dims));
        value.is_declared = true;
        self.model.graph.outputs.push(output);
        self.model
    }
}

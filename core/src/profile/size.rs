//! What a model weighs on disk: the file, the same compressed, and its weights by type, by operator and by layer.

use std::collections::BTreeMap;
use std::io::{Read as _, Write};
use std::path::Path;

use super::ProfileError;
use crate::graph::Graph;
use crate::graph::cost::Weights;
use crate::model::OpenModel;
use crate::task::{Progress, TaskCtx};

/// Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct SizeReport {
    pub file_bytes: u64,
    /// The file after Zstandard at level 3, as it might travel.
    pub compressed_bytes: Option<u64>,
    pub weight_bytes: u64,
    pub parameters: u64,
    /// Weights that are tensors of their own, largest first.
    pub by_type: Vec<TypeSize>,
    /// Largest first. A weight that several nodes share counts at each of them.
    pub by_operator: Vec<OperatorSize>,
    /// Nodes that have weights, largest first.
    pub layers: Vec<LayerSize>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TypeSize {
    pub element_type: String,
    pub tensors: u64,
    pub elements: u64,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OperatorSize {
    pub operator: String,
    pub nodes: u64,
    pub parameters: u64,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LayerSize {
    pub node: String,
    pub operator: String,
    pub parameters: u64,
    pub bytes: u64,
}

/// Weighs a model.
pub(super) fn size(model: &OpenModel, compressed_bytes: u64) -> SizeReport {
    let graph = &model.model.graph;
    let weights = Weights::of_graph(graph);
    let mut by_operator: BTreeMap<String, (u64, Weights)> = BTreeMap::new();
    let mut layers = Vec::new();
    for level in graph.with_subgraphs() {
        for node in &level.nodes {
            let own = Weights::of_node(level, node);
            let (nodes, sum) = by_operator.entry(node.qualified_type()).or_default();
            *nodes += 1;
            *sum = [*sum, own].into_iter().sum();
            if own.bytes > 0 {
                let (node, operator) = (node.label(level).to_owned(), node.qualified_type());
                layers.push(LayerSize { node, operator, parameters: own.parameters, bytes: own.bytes });
            }
        }
    }
    let mut by_operator: Vec<OperatorSize> = by_operator
        .into_iter()
        .map(|(operator, (nodes, weights))| OperatorSize { operator, nodes, parameters: weights.parameters, bytes: weights.bytes })
        .collect();
    by_operator.sort_by_key(|operator| std::cmp::Reverse((operator.bytes, operator.nodes)));
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.bytes));
    SizeReport {
        file_bytes: model.file_bytes,
        compressed_bytes: Some(compressed_bytes),
        weight_bytes: weights.bytes,
        parameters: weights.parameters,
        by_type: by_type(graph),
        by_operator,
        layers,
    }
}

fn by_type(graph: &Graph) -> Vec<TypeSize> {
    let mut types: BTreeMap<&str, TypeSize> = BTreeMap::new();
    for initializer in graph.with_subgraphs().flat_map(|graph| graph.initializers.values()) {
        let tensor = &initializer.tensor;
        let name = tensor.element_type().name();
        let size = types.entry(name).or_insert_with(|| TypeSize { element_type: name.to_owned(), tensors: 0, elements: 0, bytes: 0 });
        size.tensors += 1;
        size.elements += tensor.n_elements() as u64;
        size.bytes += tensor.n_bytes() as u64;
    }
    let mut types: Vec<TypeSize> = types.into_values().collect();
    types.sort_by_key(|size| std::cmp::Reverse(size.bytes));
    types
}

/// What the model's file would be after Zstandard at level 3. Files beside it that hold weights are not counted.
pub(super) fn compressed_bytes(ctx: &TaskCtx, path: &Path) -> Result<u64, ProfileError> {
    let failed = |source| ProfileError::Load(crate::onnx::LoadError::Io { path: path.to_owned(), source });
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut encoder = zstd::Encoder::new(Counter(0), 3).map_err(failed)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        ctx.checkpoint()?;
        let n = file.read(&mut buffer).map_err(failed)?;
        let Some(part) = buffer.get(..n).filter(|part| !part.is_empty()) else { break };
        encoder.write_all(part).map_err(failed)?;
        ctx.report(Progress { stage: "weighing the file".to_owned(), ..Progress::default() });
    }
    Ok(encoder.finish().map_err(failed)?.0)
}

/// Counts what is written to it.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

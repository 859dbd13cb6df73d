//! Functions that a model defines itself: found by name, instantiated for a call, and put in the place of their calls.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::splice::splice;
use super::{Attribute, Attributes, Function, Graph, Model, Node, with_stack};

/// So many nodes may come out of functions, all calls expanded: a small file can ask for any number.
const MAX_EXPANDED_NODES: u64 = 200_000;

/// The functions of a model cannot be put in the place of their calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    #[error("function '{name}' calls itself ({path}); an ONNX function must not")]
    Recursive { name: String, path: String },
    #[error("expanding the model's functions would make more than {MAX_EXPANDED_NODES} nodes")]
    TooLarge,
    #[error("the function '{name}' is defined twice")]
    DefinedTwice { name: String },
}

/// Domain, name and overload: what a call names.
type Key<'a> = (&'a str, &'a str, &'a str);

/// The functions of a model, proven free of recursion and small enough to be expanded.
#[derive(Debug, Default)]
pub struct Functions<'a> {
    by_key: HashMap<Key<'a>, &'a Function>,
}

impl<'a> Functions<'a> {
    pub fn of(model: &'a Model) -> Result<Self, FunctionError> {
        let mut by_key = HashMap::with_capacity(model.functions.len());
        for function in &model.functions {
            let key = (function.domain.as_str(), function.name.as_str(), function.overload.as_str());
            if by_key.insert(key, function).is_some() {
                return Err(FunctionError::DefinedTwice { name: function.qualified_name() });
            }
        }
        let functions = Self { by_key };
        let sizes = functions.sizes()?;
        if functions.size_of(&model.graph, &sizes) > MAX_EXPANDED_NODES {
            return Err(FunctionError::TooLarge);
        }
        Ok(functions)
    }

    /// The function that a node calls.
    pub fn called_by(&self, node: &Node) -> Option<&'a Function> {
        self.by_key.get(&(node.domain.as_str(), node.op_type.as_str(), node.overload.as_str())).copied()
    }

    fn calls(&self, graph: &Graph) -> Vec<&'a Function> {
        let nodes = graph.with_subgraphs().flat_map(|graph| &graph.nodes);
        nodes.filter_map(|node| self.called_by(node)).collect()
    }

    /// How many nodes each function has with all its calls expanded. Depth first, without recursion of its own.
    fn sizes(&self) -> Result<HashMap<*const Function, u64>, FunctionError> {
        let mut sizes: HashMap<*const Function, u64> = HashMap::new();
        for root in self.by_key.values().copied() {
            // Functions on the way down, each with the calls in it that were not looked at yet.
            let mut path = vec![(root, self.calls(&root.graph))];
            while let Some((function, calls)) = path.last_mut() {
                let function = *function;
                if sizes.contains_key(&std::ptr::from_ref(function)) {
                    path.pop();
                    continue;
                }
                let Some(called) = calls.pop() else {
                    let size = self.size_of(&function.graph, &sizes);
                    sizes.insert(std::ptr::from_ref(function), size);
                    path.pop();
                    continue;
                };
                if let Some(start) = path.iter().position(|(on_path, _)| std::ptr::eq(*on_path, called)) {
                    let cycle = path[start..].iter().map(|(function, _)| *function).chain([called]).map(Function::qualified_name);
                    let path = cycle.collect::<Vec<_>>().join(" → ");
                    return Err(FunctionError::Recursive { name: called.qualified_name(), path });
                }
                path.push((called, self.calls(&called.graph)));
            }
        }
        Ok(sizes)
    }

    /// Nodes of a graph with its calls expanded; calls of functions whose size is not known yet count nothing.
    fn size_of(&self, graph: &Graph, sizes: &HashMap<*const Function, u64>) -> u64 {
        let own: usize = graph.with_subgraphs().map(|graph| graph.nodes.len()).sum();
        let calls = self.calls(graph);
        calls.iter().filter_map(|function| sizes.get(&std::ptr::from_ref(*function))).fold(own as u64, |sum, size| sum.saturating_add(*size))
    }
}

impl Function {
    /// `domain.Name`, with `:overload` where there is one.
    pub fn qualified_name(&self) -> String {
        let overload = if self.overload.is_empty() { String::new() } else { format!(":{}", self.overload) };
        let domain = if self.domain.is_empty() { String::new() } else { format!("{}.", self.domain) };
        format!("{domain}{}{overload}", self.name)
    }

    /// The function's graph as a call means it: attributes by reference have the call's values, or their defaults, and every node knows the opset
    /// that the function imports.
    pub fn instantiate(&self, call: &Node) -> Graph {
        let mut graph = self.graph.clone();
        let given = |name: &str| call.attributes.0.get(name).or_else(|| self.attributes.0.get(name));
        resolve(&mut graph, &self.opset_imports, &given);
        graph
    }
}

fn resolve<'a>(graph: &mut Graph, opsets: &BTreeMap<String, i64>, given: &dyn Fn(&str) -> Option<&'a Attribute>) {
    for node in &mut graph.nodes {
        if node.opset.is_none() {
            node.opset = opsets.get(&node.domain).copied();
        }
        let references = node.attributes.0.values().any(|attribute| matches!(attribute, Attribute::Reference { .. }));
        if references {
            let attributes = std::mem::take(&mut node.attributes).0.into_iter();
            // An attribute that neither the call nor a default gives is left out: the operator then has its own default.
            node.attributes = Attributes(
                attributes
                    .filter_map(|(name, attribute)| match attribute {
                        Attribute::Reference { name: referred, .. } => given(&referred).cloned().map(|value| (name, value)),
                        other => Some((name, other)),
                    })
                    .collect(),
            );
        }
        for subgraph in node.subgraphs_mut() {
            let subgraph = Arc::make_mut(subgraph);
            with_stack(|| resolve(subgraph, opsets, given));
        }
    }
}

/// Puts every function's nodes in the place of its calls, in subgraphs too; what is left calls operators alone.
pub fn inline(model: &mut Model) -> Result<(), FunctionError> {
    if model.functions.is_empty() {
        return Ok(());
    }
    let mut graph = std::mem::take(&mut model.graph);
    // The size of the main graph counts, so it is looked at before it is changed.
    model.graph = graph.clone();
    inline_in(&mut graph, &Functions::of(model)?);
    model.graph = graph;
    Ok(())
}

fn inline_in(graph: &mut Graph, functions: &Functions<'_>) {
    let mut pending: Vec<Node> = std::mem::take(&mut graph.nodes).into_iter().rev().collect();
    let mut nodes = Vec::with_capacity(pending.len());
    while let Some(mut node) = pending.pop() {
        if let Some(function) = functions.called_by(&node) {
            let label = node.label(graph).to_owned();
            let body = function.instantiate(&node);
            pending.extend(splice(graph, body, &node.inputs, &node.outputs, &label).into_iter().rev());
            continue;
        }
        let calls_inside = node.subgraphs().flat_map(|subgraph| subgraph.with_subgraphs()).flat_map(|graph| &graph.nodes);
        if calls_inside.into_iter().any(|node| functions.called_by(node).is_some()) {
            for subgraph in node.subgraphs_mut() {
                let subgraph = Arc::make_mut(subgraph);
                with_stack(|| inline_in(subgraph, functions));
            }
        }
        nodes.push(node);
    }
    graph.nodes = nodes;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(graph: &mut Graph, op_type: &str, inputs: &[&str], outputs: &[&str]) -> Node {
        let domain = if op_type.starts_with('f') { "local" } else { "" };
        let optional = |graph: &mut Graph, name: &&str| (!name.is_empty()).then(|| graph.value_named(name));
        let inputs = inputs.iter().map(|name| optional(graph, name)).collect();
        let outputs = outputs.iter().map(|name| optional(graph, name)).collect();
        Node { op_type: op_type.to_owned(), domain: domain.to_owned(), inputs, outputs, ..Node::default() }
    }

    /// A function with inputs `a` and `b` and output `c`.
    fn function(name: &str, nodes: &[(&str, &[&str], &[&str])]) -> Function {
        let mut graph = Graph::default();
        graph.inputs = vec![graph.value_named("a"), graph.value_named("b")];
        for (op_type, inputs, outputs) in nodes {
            let node = node(&mut graph, op_type, inputs, outputs);
            graph.nodes.push(node);
        }
        graph.outputs = vec![graph.value_named("c")];
        Function { domain: "local".to_owned(), name: name.to_owned(), graph, opset_imports: [(String::new(), 13)].into(), ..Function::default() }
    }

    fn model(functions: Vec<Function>, nodes: &[(&str, &[&str], &[&str])]) -> Model {
        let mut model = Model { functions, ..Model::default() };
        model.graph.inputs = vec![model.graph.value_named("x")];
        for (op_type, inputs, outputs) in nodes {
            let node = node(&mut model.graph, op_type, inputs, outputs);
            model.graph.nodes.push(node);
        }
        model.graph.outputs = vec![model.graph.value_named("y")];
        model
    }

    /// `Add(x, f/d) → y`, one line per node.
    fn listing(graph: &Graph) -> Vec<String> {
        let names = |ids: &[Option<super::super::ValueId>]| {
            ids.iter().map(|id| id.map_or("-", |id| graph.value(id).name.as_str())).collect::<Vec<_>>().join(", ")
        };
        graph.nodes.iter().map(|node| format!("{}({}) → {}", node.op_type, names(&node.inputs), names(&node.outputs))).collect()
    }

    #[test]
    fn calls_are_replaced_by_what_they_call() {
        let inner = function("f_inner", &[("Add", &["a", "b"], &["d"]), ("Relu", &["d"], &["c"])]);
        let outer = function("f_outer", &[("f_inner", &["a", "a"], &["e"]), ("f_inner", &["e", ""], &["c"])]);
        let mut model = model(vec![outer, inner], &[("f_outer", &["x"], &["z"]), ("Neg", &["z"], &["y"])]);
        inline(&mut model).unwrap();
        let expected = ["Add(x, x) → z/e/d", "Relu(z/e/d) → z/e", "Add(z/e, -) → z/d", "Relu(z/d) → z", "Neg(z) → y"];
        assert_eq!(listing(&model.graph), expected);
        assert_eq!(model.graph.nodes[0].opset, Some(13));
        assert_eq!(model.graph.nodes[4].opset, None);
        assert_eq!(super::super::check::check(&model.graph), Ok(()));
    }

    #[test]
    fn an_output_that_is_an_input_is_passed_on() {
        let mut same = function("f", &[]);
        same.graph.outputs = vec![same.graph.inputs[0], same.graph.inputs[0]];
        let mut model = model(vec![same], &[("f", &["x"], &["y", "z"])]);
        inline(&mut model).unwrap();
        assert_eq!(listing(&model.graph), ["Identity(x) → y", "Identity(x) → z"]);
    }

    #[test]
    fn attributes_come_from_the_call_or_the_default() {
        let mut leaky = function("f", &[("LeakyRelu", &["a"], &["c"])]);
        let reference = |name: &str| Attribute::Reference { name: name.to_owned(), attribute_type: 1 };
        for (name, referred) in [("alpha", "slope"), ("beta", "missing"), ("gamma", "default")] {
            leaky.graph.nodes[0].attributes.0.insert(name.to_owned(), reference(referred));
        }
        leaky.attributes.0.insert("default".to_owned(), Attribute::Float(2.0));
        let mut call = Node::default();
        call.attributes.0.insert("slope".to_owned(), Attribute::Float(0.5));
        let attributes = leaky.instantiate(&call).nodes.remove(0).attributes;
        assert_eq!(attributes.float("alpha"), Ok(Some(0.5)));
        assert_eq!(attributes.float("gamma"), Ok(Some(2.0)));
        assert!(!attributes.contains("beta"));
    }

    #[test]
    fn what_a_subgraph_of_a_function_captures_moves_with_it() {
        let mut branch = Graph::default();
        let inside = node(&mut branch, "Add", &["a", "b"], &["made"]);
        branch.nodes.push(inside);
        branch.outputs = vec![branch.value_named("made")];
        let mut choosing = function("f", &[]);
        let mut choose = node(&mut choosing.graph, "If", &["b"], &["c"]);
        choose.attributes.0.insert("then_branch".to_owned(), Attribute::Graph(branch.into()));
        choosing.graph.find_captures(&mut choose);
        choosing.graph.nodes.push(choose);
        let mut model = model(vec![choosing], &[("f", &["x", ""], &["y"])]);
        inline(&mut model).unwrap();
        let captured: Vec<_> = model.graph.nodes[0].captured().map(|id| model.graph.value(id).name.clone()).collect();
        assert_eq!(captured, ["x"], "the input that the call leaves out is left out inside");
        let inside = model.graph.nodes[0].subgraphs().next().unwrap();
        assert_eq!(listing(inside), ["Add(a, -) → made"]);
    }

    #[test]
    fn recursion_and_explosion_are_refused() {
        let call = |name: &'static str, called: &'static str| function(name, &[(called, &["a"], &["c"])]);
        let mut recursive = model(vec![call("f1", "f2"), call("f2", "f3"), call("f3", "f1")], &[("f1", &["x"], &["y"])]);
        let message = inline(&mut recursive).unwrap_err().to_string();
        assert!(message.contains("calls itself (local.f") && message.contains(" → local.f"), "{message}");

        let names: Vec<&'static str> = (0..60).map(|level| &*Box::leak(format!("f{level}").into_boxed_str())).collect();
        let mut functions = vec![function(names[0], &[("Relu", &["a"], &["c"])])];
        for pair in names.windows(2) {
            functions.push(function(pair[1], &[(pair[0], &["a"], &["d"]), (pair[0], &["d"], &["c"])]));
        }
        let mut bomb = model(functions, &[(names[59], &["x"], &["y"])]);
        assert_eq!(inline(&mut bomb), Err(FunctionError::TooLarge));
    }
}

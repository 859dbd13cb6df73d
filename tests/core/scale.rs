//! Graphs that are very deep or very long: everything that walks a model stays within the stack of an ordinary thread, and takes time in
//! proportion to the model.

use std::path::Path;
use std::time::{Duration, Instant};

use drydock_core::engine::{Plan, PlanOptions};
use drydock_core::graph::{Attribute, Dimension, Function, Graph, Model, Node, ValueType};
use drydock_core::host::{Bool, ElementType};
use drydock_core::inspect::inspect_file;
use drydock_core::onnx;
use drydock_core::task::TaskCtx;
use drydock_core::tensor::{Tensor, Value};

const LEVELS: usize = 1_000;
const CHAIN: usize = 100_000;

/// Far more than the work takes (a second or two, unoptimised), far less than it would with a quadratic step in it.
const LIMIT: Duration = Duration::from_secs(120);

fn node(graph: &mut Graph, op_type: &str, inputs: &[&str], output: &str) -> Node {
    let inputs = inputs.iter().map(|name| Some(graph.value_named(name))).collect();
    let outputs = vec![Some(graph.value_named(output))];
    Node { op_type: op_type.to_owned(), inputs, outputs, ..Node::default() }
}

fn declare(graph: &mut Graph, name: &str, element_type: ElementType, dims: Vec<Dimension>) {
    let id = graph.value_named(name);
    let value = graph.value_mut(id);
    (value.value_type, value.is_declared) = (Some(ValueType::tensor(element_type, dims)), true);
}

/// Inputs `x` and `go`, output `y`.
fn model(build: impl FnOnce(&mut Graph)) -> Model {
    let mut model = Model { ir_version: 10, opset_imports: [(String::new(), 17)].into(), ..Model::default() };
    let graph = &mut model.graph;
    graph.name = "scale".to_owned();
    declare(graph, "x", ElementType::F32, vec![Dimension::Known(2)]);
    declare(graph, "go", ElementType::Bool, vec![]);
    graph.inputs = vec![graph.value_named("x"), graph.value_named("go")];
    build(graph);
    declare(graph, "y", ElementType::F32, vec![Dimension::Known(2)]);
    graph.outputs = vec![graph.value_named("y")];
    model
}

/// Saves, loads, inspects, compiles and runs a model, and returns `y` for `x = [1, 2]`.
fn all_that_is_done_with(model: &Model) -> Vec<f32> {
    let started = Instant::now();
    let ctx = TaskCtx::unattended();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    onnx::save(&ctx, model, &path).unwrap();
    let loaded = onnx::load(&ctx, &path).unwrap().model;
    assert_eq!(onnx::save_bytes(&loaded), onnx::save_bytes(model));
    let report = inspect_file(&ctx, Path::new(&path)).unwrap();
    assert_eq!((report.unsupported.as_slice(), report.issues.as_slice()), ([].as_slice(), [].as_slice()));
    let mut y = Vec::new();
    for optimize in [true, false] {
        let plan = Plan::compile(&ctx, &loaded, &PlanOptions { optimize, ..PlanOptions::default() }).unwrap();
        let x = Tensor::from_vec(&[2], vec![1.0_f32, 2.0]).unwrap();
        let inputs = vec![("x".to_owned(), Value::Tensor(x)), ("go".to_owned(), Value::Tensor(Tensor::scalar(Bool::new(true))))];
        let outputs = plan.run(&ctx, inputs).unwrap();
        let made = outputs[0].as_tensor().unwrap().as_slice::<f32>().unwrap().into_owned();
        assert!(y.is_empty() || y == made, "optimising changes nothing");
        y = made;
    }
    assert!(started.elapsed() < LIMIT, "it took {:?}", started.elapsed());
    y
}

#[test]
fn a_thousand_levels_of_branches() {
    // At every level x is captured, added to what comes from inside, and handed out; at the bottom it is x itself.
    let mut inner = Graph::default();
    let bottom = node(&mut inner, "Identity", &["x"], "made_0");
    inner.nodes.push(bottom);
    inner.outputs = vec![inner.value_named("made_0")];
    for level in 1..LEVELS {
        let mut outer = Graph::default();
        let branch = inner.into();
        push_if(&mut outer, branch, &format!("inside_{level}"));
        let add = node(&mut outer, "Add", &["x", &format!("inside_{level}")], &format!("made_{level}"));
        outer.nodes.push(add);
        outer.outputs = vec![outer.value_named(&format!("made_{level}"))];
        inner = outer;
    }
    let model = model(|graph| push_if(graph, inner.into(), "y"));
    assert_eq!(all_that_is_done_with(&model), [LEVELS as f32, 2.0 * LEVELS as f32]);
}

/// An `If` on `go`, with the same graph in both branches.
fn push_if(graph: &mut Graph, branch: std::sync::Arc<Graph>, output: &str) {
    let mut otherwise = Graph::default();
    let negative = node(&mut otherwise, "Neg", &["x"], &format!("not_{output}"));
    otherwise.nodes.push(negative);
    otherwise.outputs = vec![otherwise.value_named(&format!("not_{output}"))];
    let mut choose = node(graph, "If", &["go"], output);
    choose.attributes.0.insert("then_branch".to_owned(), Attribute::Graph(branch));
    choose.attributes.0.insert("else_branch".to_owned(), Attribute::Graph(otherwise.into()));
    graph.find_captures(&mut choose);
    graph.nodes.push(choose);
}

#[test]
fn a_thousand_levels_of_loops() {
    let mut inner = Graph::default();
    for level in 0..LEVELS {
        let mut body = Graph::default();
        let (iteration, go_in, go_out) = (format!("i_{level}"), format!("go_in_{level}"), format!("go_out_{level}"));
        let (carried, made) = (format!("carried_{level}"), format!("made_{level}"));
        body.inputs = [&iteration, &go_in, &carried].map(|name| body.value_named(name)).into();
        let same = node(&mut body, "Identity", &[&go_in], &go_out);
        body.nodes.push(same);
        if level == 0 {
            let add = node(&mut body, "Add", &["x", &carried], &made);
            body.nodes.push(add);
        } else {
            push_loop(&mut body, inner, &carried, &made);
        }
        body.outputs = [&go_out, &made].map(|name| body.value_named(name)).into();
        inner = body;
    }
    let model = model(|graph| push_loop(graph, inner, "x", "y"));
    assert_eq!(all_that_is_done_with(&model), [2.0, 4.0]);
}

/// A loop of one trip that carries one value.
fn push_loop(graph: &mut Graph, body: Graph, carried: &str, output: &str) {
    let trips = format!("trips_{output}");
    let mut constant = node(graph, "Constant", &[], &trips);
    constant.attributes.0.insert("value_int".to_owned(), Attribute::Int(1));
    graph.nodes.push(constant);
    let mut repeat = node(graph, "Loop", &[&trips, "go", carried], output);
    repeat.attributes.0.insert("body".to_owned(), Attribute::Graph(body.into()));
    graph.find_captures(&mut repeat);
    graph.nodes.push(repeat);
}

#[test]
fn a_thousand_functions_that_call_each_other() {
    let mut model = model(|graph| {
        let mut call = node(graph, "f999", &["x"], "y");
        call.domain = "local".to_owned();
        graph.nodes.push(call);
    });
    model.opset_imports.insert("local".to_owned(), 1);
    for level in 0..LEVELS {
        let mut graph = Graph::default();
        graph.inputs = vec![graph.value_named("a")];
        let mut inside = match level {
            0 => node(&mut graph, "Identity", &["a"], "inside"),
            _ => node(&mut graph, &format!("f{}", level - 1), &["a"], "inside"),
        };
        inside.domain = if level == 0 { String::new() } else { "local".to_owned() };
        let add = node(&mut graph, "Add", &["a", "inside"], "b");
        graph.nodes = vec![inside, add];
        graph.outputs = vec![graph.value_named("b")];
        model.functions.push(Function {
            domain: "local".to_owned(),
            name: format!("f{level}"),
            inputs: vec!["a".to_owned()],
            outputs: vec!["b".to_owned()],
            opset_imports: [(String::new(), 17), ("local".to_owned(), 1)].into(),
            graph,
            ..Function::default()
        });
    }
    assert_eq!(all_that_is_done_with(&model), [LEVELS as f32 + 1.0, 2.0 * (LEVELS as f32 + 1.0)]);
}

#[test]
fn a_chain_of_a_hundred_thousand_nodes() {
    let model = model(|graph| {
        for index in 0..CHAIN {
            let input = if index == 0 { "x".to_owned() } else { format!("v{index}") };
            let output = if index + 1 == CHAIN { "y".to_owned() } else { format!("v{}", index + 1) };
            // Some go by passes, most have to run.
            let op_type = if index % 3 == 0 { "Identity" } else { "Neg" };
            let node = node(graph, op_type, &[&input], &output);
            graph.nodes.push(node);
        }
    });
    assert_eq!(all_that_is_done_with(&model), [1.0, 2.0]);
}

#[test]
fn a_value_that_a_hundred_thousand_nodes_read() {
    let model = model(|graph| {
        for index in 0..CHAIN {
            let op_type = if index % 3 == 0 { "Identity" } else { "Neg" };
            let output = if index + 1 == CHAIN { "y".to_owned() } else { format!("v{index}") };
            let node = node(graph, op_type, &["x"], &output);
            graph.nodes.push(node);
        }
    });
    assert_eq!(all_that_is_done_with(&model), [1.0, 2.0]);
}

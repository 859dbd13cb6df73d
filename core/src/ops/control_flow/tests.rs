//! What control flow refuses, what it infers, and how it ends. That it computes what it should the golden cases prove.

use std::sync::Arc;

use crate::engine::{Plan, PlanOptions, RunError};
use crate::graph::infer::infer_types;
use crate::graph::{Attribute, Graph, Model, Node, ValueType};
use crate::ops::inference::BuiltOperators;
use crate::ops::testing::{assert_tensor, bools, tensor, typed};
use crate::task::TaskCtx;
use crate::tensor::{Tensor, Value};

/// A graph in the making.
struct Build(Graph);

impl Build {
    fn new(inputs: &[&str]) -> Self {
        let mut graph = Graph::default();
        graph.inputs = inputs.iter().map(|name| graph.value_named(name)).collect();
        Self(graph)
    }

    fn node(self, op_type: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        self.node_with(op_type, inputs, outputs, [])
    }

    fn node_with<'a>(mut self, op_type: &str, inputs: &[&str], outputs: &[&str], attributes: impl IntoIterator<Item = (&'a str, Attribute)>) -> Self {
        let graph = &mut self.0;
        let mut id = |name: &&str| (!name.is_empty()).then(|| graph.value_named(name));
        let (inputs, outputs) = (inputs.iter().map(&mut id).collect(), outputs.iter().map(&mut id).collect());
        let mut node = Node { op_type: op_type.to_owned(), name: op_type.to_lowercase(), inputs, outputs, ..Node::default() };
        node.attributes.0.extend(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)));
        graph.find_captures(&mut node);
        graph.nodes.push(node);
        self
    }

    fn declare(mut self, name: &str, value_type: ValueType) -> Self {
        let id = self.0.value_named(name);
        self.0.value_mut(id).value_type = Some(value_type);
        self
    }

    fn outputs(mut self, outputs: &[&str]) -> Graph {
        self.0.outputs = outputs.iter().map(|name| self.0.value_named(name)).collect();
        self.0
    }
}

fn graph(graph: Graph) -> Attribute {
    Attribute::Graph(Arc::new(graph))
}

fn model(graph: Graph) -> Model {
    Model { ir_version: 10, opset_imports: [(String::new(), 17)].into(), graph, ..Model::default() }
}

fn run(graph: Graph, max_result_bytes: u128, inputs: Vec<(&str, Tensor)>) -> Result<Vec<Value>, String> {
    let options = PlanOptions { max_result_bytes, ..PlanOptions::default() };
    let plan = Plan::compile(&TaskCtx::unattended(), &model(graph), &options).map_err(|error| error.to_string())?;
    let inputs = inputs.into_iter().map(|(name, tensor)| (name.to_owned(), Value::Tensor(tensor))).collect();
    plan.run(&TaskCtx::unattended(), inputs).map_err(|error| error.to_string())
}

const LIMIT: u128 = 1 << 20;

/// `Loop(trips, go, x) → y, ys` whose body doubles what it carries and also scans it.
fn doubling() -> Build {
    let body = Build::new(&["i", "go_in", "carried"]).node("Identity", &["go_in"], &["go_out"]).node("Add", &["carried", "carried"], &["doubled"]);
    let body = body.declare("doubled", typed::<f32>("1")).outputs(&["go_out", "doubled", "doubled"]);
    Build::new(&["trips", "go", "x"]).node_with("Loop", &["trips", "go", "x"], &["y", "ys"], [("body", graph(body))])
}

fn counting() -> Vec<(&'static str, Tensor)> {
    vec![("trips", Tensor::scalar(i64::MAX)), ("go", bools(&[], &[true])), ("x", tensor(&[1], &[1.0_f32]))]
}

#[test]
fn a_loop_without_end_is_stopped_by_what_it_collects() {
    let error = run(doubling().outputs(&["y", "ys"]), LIMIT, counting()).unwrap_err();
    assert!(error.contains("node 'loop' (Loop)") && error.contains("scan output 0 would take 1048580 bytes"), "{error}");
}

#[test]
fn a_loop_without_end_can_be_cancelled() {
    let body = Build::new(&["i", "go_in", "carried"]).node("Identity", &["go_in"], &["go_out"]).node("Neg", &["carried"], &["turned"]);
    let body = body.outputs(&["go_out", "turned"]);
    let endless = Build::new(&["trips", "go", "x"]).node_with("Loop", &["trips", "go", "x"], &["y"], [("body", graph(body))]).outputs(&["y"]);
    let ctx = TaskCtx::unattended();
    let plan = Plan::compile(&ctx, &model(endless), &PlanOptions::default()).unwrap();
    let inputs = counting().into_iter().map(|(name, tensor)| (name.to_owned(), Value::Tensor(tensor))).collect();
    let result = std::thread::scope(|scope| {
        let running = scope.spawn(|| plan.run(&ctx, inputs));
        ctx.cancel_token().cancel();
        running.join().unwrap()
    });
    assert!(matches!(result, Err(RunError::Cancelled(_))));
}

#[test]
fn a_loop_runs_as_often_as_it_should() {
    let run = |trips: i64, go: bool| {
        let inputs = vec![("trips", Tensor::scalar(trips)), ("go", bools(&[], &[go])), ("x", tensor(&[1], &[1.0_f32]))];
        let outputs = run(doubling().outputs(&["y"]), LIMIT, inputs).unwrap();
        outputs[0].as_tensor().unwrap().as_slice::<f32>().unwrap()[0]
    };
    assert_eq!([run(3, true), run(0, true), run(-5, true), run(i64::MIN, true), run(3, false)], [8.0, 1.0, 1.0, 1.0, 1.0]);
}

#[test]
fn many_scan_outputs_keep_their_order() {
    let body = Build::new(&["i", "go_in"]).node("Identity", &["go_in"], &["go_out"]).node("Identity", &["i"], &["same"]);
    let body = body.outputs(&["go_out", "same"]);
    let loops = Build::new(&["trips"]).node_with("Loop", &["trips", ""], &["all"], [("body", graph(body))]).outputs(&["all"]);
    let outputs = run(loops, LIMIT, vec![("trips", Tensor::scalar(5_000_i64))]).unwrap();
    assert_tensor(outputs[0].as_tensor().unwrap(), &[5_000], &(0..5_000_i64).collect::<Vec<_>>());
}

#[test]
fn a_growing_sequence_is_bounded() {
    let body = Build::new(&["i", "go_in", "sequence"])
        .node("Identity", &["go_in"], &["go_out"])
        .node("SequenceInsert", &["sequence", "x"], &["longer"])
        .outputs(&["go_out", "longer"]);
    let growing = Build::new(&["trips", "go", "x"])
        .node("SequenceEmpty", &[], &["none"])
        .node_with("Loop", &["trips", "go", "none"], &["y"], [("body", graph(body))])
        .outputs(&["y"]);
    let error = run(growing, LIMIT, counting()).unwrap_err();
    assert!(error.contains("inside it, node 'sequenceinsert' (SequenceInsert)") && error.contains("the sequence would take"), "{error}");
}

#[test]
fn an_error_inside_names_the_innermost_node() {
    let inner = |name: &str| Build::new(&[]).node("MatMul", &["x", "x"], &[name]).outputs(&[name]);
    let outer = |name: &str, inside: &str| {
        let branches = [("then_branch", graph(inner(inside))), ("else_branch", graph(inner(&format!("not_{inside}"))))];
        Build::new(&[]).node_with("If", &["go"], &[name], branches).outputs(&[name])
    };
    let branches = [("then_branch", graph(outer("a", "aa"))), ("else_branch", graph(outer("b", "bb")))];
    let nested = Build::new(&["go", "x"]).node_with("If", &["go"], &["y"], branches).outputs(&["y"]);
    let error = run(nested, LIMIT, vec![("go", bools(&[], &[true])), ("x", tensor(&[2, 3], &[0.0_f32; 6]))]).unwrap_err();
    assert!(error.starts_with("node 'if' (If) with inputs bool[]: inside it"), "{error}");
    assert_eq!(error.matches("inside it").count(), 1, "{error}");
    assert!(error.contains("inside it, node 'matmul' (MatMul) with inputs float32[2, 3], float32[2, 3]: "), "{error}");
}

#[test]
fn bodies_that_do_not_fit_their_node_are_refused() {
    let one = |inputs: &[&str], name: &str| Build::new(inputs).node("Identity", &["x"], &[name]).outputs(&[name]);
    let refuse = |op_type: &str, inputs: &[&str], outputs: &[&str], body: (&str, Attribute), more: Vec<(&str, Attribute)>| {
        let build = Build::new(&["go", "x"]).node_with(op_type, inputs, outputs, more.into_iter().chain([body]));
        run(build.outputs(outputs), LIMIT, Vec::new()).unwrap_err()
    };
    let then = || ("then_branch", graph(one(&[], "a")));
    assert!(refuse("If", &["go"], &["y"], then(), vec![]).contains("attribute 'else_branch' is missing"));
    let otherwise = vec![("else_branch", graph(one(&["extra"], "b")))];
    let message = refuse("If", &["go"], &["y"], then(), otherwise);
    assert!(message.contains("'else_branch' should have no inputs and 1 outputs like the node, but has 1 and 1"), "{message}");
    let message = refuse("Loop", &["", "go", "x"], &["y"], ("body", graph(one(&["i"], "a"))), vec![]);
    assert!(message.contains("should take an iteration number, a condition and 1 carried values, but has 1 inputs"), "{message}");
    let message = refuse("Scan", &["x"], &["y"], ("body", graph(one(&["x_inside"], "a"))), vec![("num_scan_inputs", Attribute::Int(2))]);
    assert!(message.contains("'num_scan_inputs' is 2, but the node has 1 states and scan inputs together"), "{message}");
    let directions = vec![("num_scan_inputs", Attribute::Int(1)), ("scan_input_directions", Attribute::Ints(vec![2]))];
    let message = refuse("Scan", &["x"], &["y"], ("body", graph(one(&["x_inside"], "a"))), directions);
    assert!(message.contains("a direction in 'scan_input_directions' should be 0 or 1, but is 2"), "{message}");
    let message = refuse("SequenceMap", &["x"], &["y", "z"], ("body", graph(one(&["x_inside"], "a"))), vec![]);
    assert!(message.contains("should have 1 inputs and 2 outputs like the node, but has 1 and 1"), "{message}");
}

#[test]
fn conditions_and_counts_are_checked() {
    let with = |trips: Tensor, go: Tensor| {
        run(doubling().outputs(&["y"]), LIMIT, vec![("trips", trips), ("go", go), ("x", tensor(&[1], &[1.0_f32]))]).unwrap_err()
    };
    let message = with(tensor(&[2], &[1_i64, 2]), bools(&[], &[true]));
    assert!(message.contains("input 0 (M) should be int64 with one element, but is int64[2]"), "{message}");
    let message = with(Tensor::scalar(2_i64), tensor(&[], &[1_i64]));
    assert!(message.contains("input 1 (cond) should be bool with one element, but is int64[]"), "{message}");
}

/// Inferred types of values of the main graph.
fn infer(build: Build, names: &[&str]) -> Vec<Option<String>> {
    let model = model(build.outputs(names));
    let operators = BuiltOperators::new(&model);
    assert_eq!(operators.problems(&model.graph), []);
    let (types, issues) = infer_types(&model.graph, &operators);
    assert_eq!(issues, []);
    let text = |name: &&str| types[model.graph.find_value(name).unwrap().index()].as_ref().map(ToString::to_string);
    names.iter().map(text).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn types_of_branches_are_joined() {
    let branch = |op_type: &str, name: &str| Build::new(&[]).node(op_type, &["x", "w"], &[name]).outputs(&[name]);
    let choose = |then: Graph, otherwise: Graph| {
        let branches = [("then_branch", graph(then)), ("else_branch", graph(otherwise))];
        Build::new(&["go", "x", "w"])
            .declare("go", typed::<crate::host::Bool>(""))
            .declare("x", typed::<f32>("batch, 3"))
            .declare("w", typed::<f32>("3, 3"))
            .node_with("If", &["go"], &["y"], branches)
    };
    assert_eq!(infer(choose(branch("MatMul", "a"), branch("MatMul", "b")), &["y"]), [some("float32[batch, 3]")]);
    let shape = Build::new(&[]).node("Shape", &["x"], &["c"]).outputs(&["c"]);
    assert_eq!(infer(choose(branch("MatMul", "a"), shape), &["y"]), [None]);
}

#[test]
fn what_a_loop_changes_is_unknown() {
    let body = Build::new(&["i", "go_in", "same", "grows"])
        .node("Identity", &["go_in"], &["go_out"])
        .node("Neg", &["same"], &["same_out"])
        .node_with("Concat", &["grows", "grows"], &["grows_out"], [("axis", Attribute::Int(0))])
        .outputs(&["go_out", "same_out", "grows_out", "same_out"]);
    let build = Build::new(&["trips", "x"]).declare("trips", typed::<i64>("")).declare("x", typed::<f32>("2, 3")).node_with(
        "Loop",
        &["trips", "", "x", "x"],
        &["y", "z", "ys"],
        [("body", graph(body))],
    );
    assert_eq!(infer(build, &["y", "z", "ys"]), [some("float32[2, 3]"), some("float32[?, 3]"), some("float32[?, 2, 3]")]);
}

#[test]
fn scans_cut_and_stack_axes() {
    let body = Build::new(&["state", "x_inside"]).node("Add", &["state", "x_inside"], &["sum"]).outputs(&["sum", "sum"]);
    let attributes = [
        ("body", graph(body)),
        ("num_scan_inputs", Attribute::Int(1)),
        ("scan_input_axes", Attribute::Ints(vec![1])),
        ("scan_output_axes", Attribute::Ints(vec![-1])),
    ];
    let build = Build::new(&["start", "x"]).declare("start", typed::<f32>("4")).declare("x", typed::<f32>("4, time")).node_with(
        "Scan",
        &["start", "x"],
        &["last", "all"],
        attributes,
    );
    assert_eq!(infer(build, &["last", "all"]), [some("float32[4]"), some("float32[4, time]")]);
}

#[test]
fn constants_are_folded_inside_and_captures_kept() {
    // What the branch computes from captured constants alone is computed when the plan is compiled; x is used by the branch only.
    let inside = |name: &str| {
        let sum = format!("{name}_sum");
        Build::new(&[]).node("Add", &["w", "w"], &[&sum]).node("Add", &["relu_x", &sum], &[name]).outputs(&[name])
    };
    let branches = [("then_branch", graph(inside("a"))), ("else_branch", graph(inside("b")))];
    let mut build = Build::new(&["go", "x"]).node("Identity", &["x"], &["same"]).node("Relu", &["same"], &["relu_x"]);
    let w = build.0.value_named("w");
    build.0.initializers.insert(w, tensor(&[2], &[1.0_f32, 2.0]).to_host().unwrap().into());
    let build = build.node_with("If", &["go"], &["y"], branches);
    let outputs = run(build.outputs(&["y"]), LIMIT, vec![("go", bools(&[], &[false])), ("x", tensor(&[2], &[-1.0_f32, 1.0]))]).unwrap();
    assert_tensor(outputs[0].as_tensor().unwrap(), &[2], &[2.0_f32, 5.0]);
}

//! Profiles of sample models through the session, plans against each other, and what the engine tells of its steps.

use std::path::{Path, PathBuf};
use std::time::Duration;

use drydock_core::engine::{Plan, PlanOptions, RunsOn};
use drydock_core::jobs::JobId;
use drydock_core::model::OpenModel;
use drydock_core::onnx;
use drydock_core::profile::interleaved::{Contender, Difference, InterleavedOptions, interleaved};
use drydock_core::profile::{Effort, Feeder, ProfileOption, ProfileRequest, profile};
use drydock_core::session::{Command, JobState, Session};
use drydock_core::task::{CancelToken, ProgressCell, TaskCtx};
use drydock_core::tensor::Device;
use drydock_core::tensor::device::DeviceChoice;
use drydock_tests::{sample_model, workspace};

fn open(name: &str) -> OpenModel {
    OpenModel::open(&TaskCtx::unattended(), &sample_model(name).model(), Device::Cpu).unwrap_or_else(|error| panic!("{error}"))
}

fn started(session: &mut Session, command: Command) -> JobId {
    session.dispatch(command).expect("a job begins")
}

#[test]
fn a_session_keeps_the_profile_and_the_history_of_its_model() {
    let mut session = Session::new(|| {});
    assert_eq!(session.dispatch(Command::Profile(ProfileRequest::default())), None, "without a model there is nothing to profile");
    let path = sample_model("wine").model();
    let opening = started(&mut session, Command::OpenModel { path: path.clone(), device: DeviceChoice::Cpu });
    session.wait(opening, |_, _| {});
    let request = ProfileRequest { effort: Effort::Quick, operators: true, threads: vec![1], ..ProfileRequest::default() };
    let job = started(&mut session, Command::Profile(request));
    assert_eq!(session.wait(job, |_, _| {}), JobState::Done);
    let state = session.state();
    let report = state.profile.as_ref().unwrap();
    assert_eq!((report.runs.len(), report.runs[0].batch, report.runs[0].threads), (1, 1, 1));
    assert!(report.load_ms > 0.0 && report.compile_ms > 0.0 && report.first_run_ms > 0.0);
    assert_eq!(state.profile_history, report.summary().into_iter().collect::<Vec<_>>());
    assert!(state.job(job).unwrap().command_line.as_ref().unwrap().contains("--threads 1 --quick --operators"));
    let opening = started(&mut session, Command::OpenModel { path, device: DeviceChoice::Cpu });
    session.wait(opening, |_, _| {});
    assert!(session.state().profile.is_none() && session.state().profile_history.is_empty());
}

#[test]
fn a_machine_that_is_hardly_known_is_told() {
    let home = tempfile::tempdir().unwrap();
    let request = ProfileRequest { effort: Effort::Quick, ..ProfileRequest::default() };
    let notes = || profile(&TaskCtx::unattended(), &open("wine"), &request, Some(home.path())).unwrap().notes;
    let (first, second) = (notes(), notes());
    assert!(first.iter().any(|note| note.contains("for the first time on this machine")), "{first:?}");
    assert!(second.iter().any(|note| note.contains("like this 1 time before on this machine")), "{second:?}");
}

#[test]
fn a_profile_can_be_cancelled() {
    let cancel = CancelToken::default();
    let ctx = TaskCtx::new(cancel.clone(), ProgressCell::default());
    cancel.cancel();
    let error = profile(&ctx, &open("wine"), &ProfileRequest::default(), None).unwrap_err();
    assert!(drydock_core::Error::from(error).is_cancelled());
}

#[test]
fn inputs_are_the_same_for_a_seed_and_follow_the_contract() {
    for name in ["breast-cancer", "diabetes", "digits", "payment-fraud", "payment-fraud-v2", "wine"] {
        let model = open(name);
        let feed = |seed: u64| {
            let feeder = Feeder::new(&model, &ProfileRequest { seed, ..ProfileRequest::default() }).unwrap();
            let inputs = feeder.feed(5).unwrap();
            let described: Vec<String> = inputs.iter().map(|(input, value)| format!("{input} {}", value.describe())).collect();
            let numbers: Vec<Vec<f32>> = inputs.iter().filter_map(|(_, value)| value.as_tensor()?.to_f32s().ok()).collect();
            (described, numbers)
        };
        assert_eq!(feed(1), feed(1), "{name}");
        assert_ne!(feed(1).1, feed(2).1, "{name}");
        model.plan().unwrap().run(&TaskCtx::unattended(), Feeder::new(&model, &ProfileRequest::default()).unwrap().feed(3).unwrap()).unwrap();
    }
}

#[test]
fn rows_of_a_table_are_fed_as_they_stand() {
    let model = open("diabetes");
    let mut request = ProfileRequest::default();
    ProfileOption::Data.set(&mut request, &sample_model("diabetes").table("new").display().to_string()).unwrap();
    let feeder = Feeder::new(&model, &request).unwrap();
    let text = std::fs::read_to_string(sample_model("diabetes").table("new")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (header, first) = (lines.next().unwrap(), lines.next().unwrap());
    let expected: Vec<f32> =
        model.contract.columns.iter().map(|column| first[header.iter().position(|name| *name == column.name).unwrap()].parse().unwrap()).collect();
    let inputs = feeder.feed(1).unwrap();
    let fed: Vec<f32> = inputs.iter().flat_map(|(_, value)| value.as_tensor().unwrap().to_f32s().unwrap()).collect();
    assert_eq!(fed, expected);
}

/// Inputs that nobody has described: exported networks, classifiers of texts, layers of every kind.
#[test]
fn every_model_of_the_corpus_can_be_fed() {
    let ctx = TaskCtx::unattended();
    let mut failures = Vec::new();
    let mut n_fed = 0;
    for path in models_below(&workspace().join("tests/corpus")) {
        let model = OpenModel::open(&ctx, &path, Device::Cpu).unwrap_or_else(|error| panic!("{error}"));
        let fed = || -> Result<(), String> {
            let plan = model.plan().map_err(|error| error.to_string())?;
            let mut feeder = Feeder::new(&model, &ProfileRequest::default()).map_err(|error| error.to_string())?;
            feeder.find_dimensions(&ctx, plan).map_err(|error| error.to_string())?;
            let inputs = feeder.feed(feeder.fixed_rows.unwrap_or(3)).map_err(|error| error.to_string())?;
            plan.run_costs(&ctx, inputs).map_err(|error| error.to_string())?;
            Ok(())
        };
        n_fed += 1;
        failures.extend(fed().err().map(|why| (path.parent().and_then(Path::file_name).unwrap_or_default().to_owned(), why)));
    }
    // A map is no tensor, and what that Bayes takes for a category only its tables say: those are fed from a table.
    let names: Vec<_> = failures.iter().map(|(name, _)| name.to_string_lossy()).collect();
    assert!(n_fed > 100 && names == ["CategoricalNB", "DictVectorizer"], "{n_fed} models, of which failed {failures:#?}");
}

fn models_below(folder: &Path) -> Vec<PathBuf> {
    let mut models = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => models.extend((path.extension().is_some_and(|extension| extension == "onnx")).then_some(path)),
            }
        }
    }
    models.sort();
    models
}

/// A step of an optimised plan knows all the nodes that it was made from, whatever pass did it.
#[test]
fn fused_steps_know_their_nodes() {
    let ctx = TaskCtx::unattended();
    let model = onnx::load(&ctx, &sample_model("digits").model()).unwrap().model;
    let plan = Plan::compile(&ctx, &model, &PlanOptions::default()).unwrap();
    let nodes: Vec<String> = model.graph.nodes.iter().map(|node| node.label(&model.graph).to_owned()).collect();
    let mut named: Vec<&String> = plan.steps().flat_map(|step| step.origins).collect();
    assert!(plan.steps().any(|step| step.operator.contains('+') && step.origins.len() > 1));
    assert!(named.iter().all(|name| nodes.contains(name)), "{named:?}");
    named.sort_unstable();
    named.dedup();
    let work = model.graph.nodes.iter().filter(|node| node.op_type != "Constant").count();
    assert_eq!(named.len(), work, "every node of the model is somewhere in the plan");
}

/// By hand, as in the test of `inspect`: two convolutions of 8 × 8 outputs, two dense layers; each of them in batches of two.
#[test]
fn steps_count_their_products_for_the_shapes_they_meet() {
    let ctx = TaskCtx::unattended();
    let model = open("digits");
    let plan = model.plan().unwrap();
    let inputs = Feeder::new(&model, &ProfileRequest::default()).unwrap().feed(2).unwrap();
    let costs = plan.run_costs(&ctx, inputs.clone()).unwrap();
    let macs: u64 = costs.steps.iter().map(|step| step.macs.unwrap()).sum();
    assert_eq!(macs, 2 * (64 * 12 * 9 + 64 * 24 * 12 * 9 + 384 * 32 + 32 * 10));
    assert!(costs.steps.iter().all(|step| step.runs_on != RunsOn::Gpu && step.bytes >= step.weight_bytes));
    // Two pictures' worth of the second convolution's result, and no more than every value of the run at once.
    let all: u64 = costs.steps.iter().map(|step| step.bytes).sum();
    assert!((2 * 24 * 64 * 4..all).contains(&costs.activation_peak_bytes), "{}", costs.activation_peak_bytes);
    let (outputs, trace) = plan.run_traced(&ctx, inputs.clone()).unwrap();
    assert_eq!(trace.steps.len(), plan.n_steps());
    assert!(trace.steps.windows(2).all(|pair| pair[0].0 <= pair[0].1 && pair[0].1 <= pair[1].0) && trace.total >= trace.steps.last().unwrap().1);
    let plain = plan.run(&ctx, inputs).unwrap();
    let numbers = |value: &drydock_core::tensor::Value| value.as_tensor().map(|tensor| tensor.to_f32s().unwrap());
    assert_eq!(outputs.iter().map(numbers).collect::<Vec<_>>(), plain.iter().map(numbers).collect::<Vec<_>>());
}

/// Judged are blocks of turns, so this holds on a machine that is busy with other things too.
#[test]
fn a_model_against_itself_makes_no_difference() {
    let model = open("diabetes");
    let plan = model.plan().unwrap();
    let inputs = Feeder::new(&model, &ProfileRequest::default()).unwrap().feed(8).unwrap();
    let contender = Contender { plan, inputs: &inputs };
    let declared = (0..100).filter(|seed| {
        let options = InterleavedOptions { min_blocks: 24, max_blocks: 24, time: Duration::ZERO, seed: *seed, ..InterleavedOptions::default() };
        let result = interleaved(&TaskCtx::unattended(), &[contender, contender], &options).unwrap();
        assert_eq!((result.blocks, result.against_first.len()), (24, 1));
        result.against_first[0].difference != Difference::None
    });
    let n = declared.count();
    assert!(n <= 5, "{n} of 100");
}

/// Eight times the rows are slower than one, however busy the machine is.
#[test]
fn a_real_difference_is_declared() {
    let model = open("digits");
    let plan = model.plan().unwrap();
    let feeder = Feeder::new(&model, &ProfileRequest::default()).unwrap();
    let (one, many) = (feeder.feed(1).unwrap(), feeder.feed(64).unwrap());
    let contenders = [Contender { plan, inputs: &one }, Contender { plan, inputs: &many }];
    let options = InterleavedOptions { min_blocks: 24, max_blocks: 24, time: Duration::ZERO, ..InterleavedOptions::default() };
    let result = interleaved(&TaskCtx::unattended(), &contenders, &options).unwrap();
    let ratio = result.against_first[0];
    assert!(ratio.difference == Difference::Slower && ratio.ratio > 1.5 && ratio.low <= ratio.ratio && ratio.ratio <= ratio.high, "{ratio:?}");
}

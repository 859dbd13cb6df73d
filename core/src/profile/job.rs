//! A profile from request to report.

use std::path::Path;
use std::time::{Duration, Instant};

use super::measure::{Beside, Monotonic, measure};
use super::operators::{Observed, observe, write_trace};
use super::report::{ConfigurationMemory, MemoryReport, OnDevice, ProfileReport, RunReport, Settings};
use super::size::{compressed_bytes, size};
use super::statistics::{Histogram, STABLE_WINDOWS, Summary};
use super::{Effort, Feeder, ProfileError, ProfileRequest, fit, sweep};
use crate::contract::Contract;
use crate::engine::{Plan, PlanOptions, RunCosts, RunsOn};
use crate::graph::Model;
use crate::machine::probe::Probe;
use crate::machine::roof::{Roof, roof};
use crate::machine::{Machine, memory};
use crate::model::OpenModel;
use crate::report::Provenance;
use crate::task::{Progress, TaskCtx};
use crate::tensor::{Device, Value};
use crate::{format, onnx};

/// Batches of a sweep that nobody has described.
const USUAL_BATCHES: [usize; 3] = [1, 8, 32];

/// From so many measurements on, the best of them says what the machine is at its best.
const ENOUGH_KNOWN: usize = 5;

/// Profiles a model. It is loaded and compiled anew, so that all parts of the way are measured; `model` says where it is and what it means.
/// What the machine can do at most is kept in `home`, where there is one.
pub fn profile(ctx: &TaskCtx, model: &OpenModel, request: &ProfileRequest, home: Option<&Path>) -> Result<ProfileReport, ProfileError> {
    let mut feeder = Feeder::new(model, request)?;
    if feeder.has_usual_dimensions() {
        // With a plan of its own, so that the first run of the other one is the first.
        feeder.find_dimensions(ctx, model.plan()?)?;
    }
    let batches = batches(&feeder, request)?;
    let threads = threads(request)?;
    let devices = devices(model, request)?;
    let compressed_bytes = compressed_bytes(ctx, &model.path)?;
    let machine = Machine::here();

    let resident_before_bytes = memory::resident_bytes();
    memory::reset_peak();
    let started = Instant::now();
    let loaded = onnx::load(ctx, &model.path)?;
    let _contract = Contract::for_model(&loaded.model, &model.path)?;
    let load_ms = ms(started.elapsed());

    let mut profiler = Profiler {
        ctx,
        request,
        home,
        feeder,
        batches,
        threads,
        n_configurations: 0,
        n_done: 0,
        runs: Vec::new(),
        memory: MemoryReport { resident_before_bytes, ..MemoryReport::default() },
        peak_memory_bytes: None,
        observed: None,
        roof: None,
        fewest_known: None,
    };
    profiler.n_configurations = devices.len() * profiler.threads.len() * profiler.batches.len();
    let mut on_devices = Vec::new();
    for device in &devices {
        on_devices.push(profiler.on_device(&loaded.model, device, &machine)?);
    }
    Ok(profiler.finish(model, compressed_bytes, machine, load_ms, on_devices))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn batches(feeder: &Feeder<'_>, request: &ProfileRequest) -> Result<Vec<usize>, ProfileError> {
    let wanted = match (request.batches.as_slice(), feeder.fixed_rows, request.effort) {
        ([], Some(rows), _) => vec![rows],
        ([], None, Effort::Quick) => vec![1],
        ([], None, _) => USUAL_BATCHES.to_vec(),
        (wanted, _, _) => wanted.to_vec(),
    };
    if wanted.contains(&0) {
        return Err(ProfileError::Unsuitable("--batch: a batch has one row at least".to_owned()));
    }
    match feeder.fixed_rows {
        Some(rows) if wanted.iter().any(|batch| *batch != rows) => Err(ProfileError::Unsuitable(format!(
            "--batch: the shape of the model's inputs fixes the batch at {}; leave --batch out",
            format::counted(rows as u64, "row")
        ))),
        _ => Ok(wanted),
    }
}

fn threads(request: &ProfileRequest) -> Result<Vec<usize>, ProfileError> {
    let mut threads = if request.threads.is_empty() { vec![rayon::current_num_threads()] } else { request.threads.clone() };
    if let Some(there) = request.fit.and_then(|target| target.threads)
        && !threads.contains(&there)
    {
        threads.push(there);
    }
    match threads.iter().find(|n| !(1..=1024).contains(*n)) {
        Some(wrong) => Err(ProfileError::Unsuitable(format!("--threads: expected 1 to 1024 threads, found {wrong}"))),
        None => Ok(threads),
    }
}

fn devices(model: &OpenModel, request: &ProfileRequest) -> Result<Vec<Device>, ProfileError> {
    if request.devices.is_empty() {
        return Ok(vec![model.device.clone()]);
    }
    request.devices.iter().map(|choice| Device::open(*choice).map_err(ProfileError::from)).collect()
}

/// A profile in the making.
struct Profiler<'a> {
    ctx: &'a TaskCtx,
    request: &'a ProfileRequest,
    home: Option<&'a Path>,
    feeder: Feeder<'a>,
    batches: Vec<usize>,
    threads: Vec<usize>,
    n_configurations: usize,
    n_done: usize,
    runs: Vec<RunReport>,
    memory: MemoryReport,
    peak_memory_bytes: Option<u64>,
    observed: Option<Observed>,
    roof: Option<Roof>,
    /// Earlier measurements of this machine that each configuration could be held against, where they were fewest; `None` where nobody looked.
    fewest_known: Option<usize>,
}

impl Profiler<'_> {
    fn on_device(&mut self, model: &Model, device: &Device, machine: &Machine) -> Result<OnDevice, ProfileError> {
        self.report("compiling", 0.0);
        let started = Instant::now();
        let plan = Plan::compile(self.ctx, model, &PlanOptions { device: device.clone(), ..PlanOptions::default() })?;
        let compile_ms = ms(started.elapsed());
        self.memory.resident_ready_bytes = self.memory.resident_ready_bytes.or_else(memory::resident_bytes);
        let first_inputs = self.feeder.feed(self.batches.first().copied().unwrap_or(1))?;
        let mut first_run_ms = None;
        for &n_threads in &self.threads.clone() {
            let pool = Threads::new(n_threads)?;
            pool.run(|| -> Result<(), ProfileError> {
                if first_run_ms.is_none() {
                    let started = Instant::now();
                    let outputs = plan.run(self.ctx, first_inputs.clone())?;
                    first_run_ms = Some(ms(started.elapsed()));
                    drop(outputs);
                }
                for &batch in &self.batches.clone() {
                    self.configuration(&plan, device, n_threads, batch, machine)?;
                }
                Ok(())
            })?;
        }
        Ok(OnDevice { device: device.label(), compile_ms, first_run_ms: first_run_ms.unwrap_or_default() })
    }

    fn configuration(&mut self, plan: &Plan, device: &Device, threads: usize, batch: usize, machine: &Machine) -> Result<(), ProfileError> {
        let inputs = self.feeder.feed(batch)?;
        let is_first = self.runs.is_empty();
        let costs = plan.run_costs(self.ctx, inputs.clone())?;
        memory::reset_peak();
        let run = self.measure(plan, (device, machine), threads, batch, &inputs, &costs)?;
        if is_first {
            self.memory.planned_activation_bytes = run.memory.planned_activation_bytes;
            self.memory.resident_peak_bytes = run.memory.resident_peak_bytes;
            if self.request.operators || self.request.trace.is_some() {
                self.observe(plan, &inputs, &costs, machine)?;
            }
        }
        self.peak_memory_bytes = self.peak_memory_bytes.max(run.memory.resident_peak_bytes);
        self.runs.push(run);
        self.n_done += 1;
        Ok(())
    }

    fn measure(
        &mut self,
        plan: &Plan,
        (device, machine): (&Device, &Machine),
        threads: usize,
        batch: usize,
        inputs: &[(String, Value)],
        costs: &RunCosts,
    ) -> Result<RunReport, ProfileError> {
        let pace = self.request.effort.pace();
        let what = format!("measuring batch {batch} on {}", format::counted(threads as u64, "thread"));
        self.report(&what, 0.0);
        let run = || -> Result<Duration, ProfileError> {
            let inputs = inputs.to_vec();
            let started = Instant::now();
            let outputs = plan.run(self.ctx, inputs)?;
            let taken = started.elapsed();
            drop(outputs);
            Ok(taken)
        };
        // What a GPU does is not for the processor to tell.
        let mut beside = MachineBeside { machine, home: self.home, probe: None, peak_bytes: None, n_known: 0 };
        let beside_cpu = (*device == Device::Cpu).then_some(&mut beside as &mut dyn Beside);
        let measured = measure(&Monotonic::default(), &pace, beside_cpu, run, |windows| {
            self.report(&what, (windows.len() as f64 / STABLE_WINDOWS as f64).min(0.95));
        })?;
        if let (Some(probe), Some(seconds)) = (&beside.probe, measured.machine_seconds) {
            probe.remember(machine, self.home, seconds);
            self.fewest_known = Some(self.fewest_known.map_or(beside.n_known, |fewest| fewest.min(beside.n_known)));
        }
        let latency_ms = Summary::of(&measured.samples).unwrap_or_default().into();
        let mut report = RunReport {
            device: device.label(),
            threads,
            batch,
            n: measured.samples.len(),
            latency_ms,
            rows_per_second: (measured.samples.len() * batch) as f64 / measured.seconds.max(1e-9),
            stable: measured.is_stable(),
            machine_slowdown: measured.machine_slowdown,
            unstable_because: measured.unsteady.map(|reason| reason.to_string()),
            windows: measured.windows,
            histogram: Histogram::of(&measured.samples).into(),
            warm_up_ms: measured.first.iter().map(|seconds| seconds * 1e3).collect(),
            memory: ConfigurationMemory {
                planned_activation_bytes: Some(costs.activation_peak_bytes),
                resident_peak_bytes: beside.peak_bytes.or_else(memory::peak_bytes),
            },
            within_budget: None,
        };
        let limit = self.request.max_latency.map(ms);
        report.within_budget = limit.filter(|_| report.stable).map(|limit| report.latency_ms.judged().0 <= limit);
        Ok(report)
    }

    fn observe(&mut self, plan: &Plan, inputs: &[(String, Value)], costs: &RunCosts, machine: &Machine) -> Result<(), ProfileError> {
        self.report("measuring what this machine can do", 0.97);
        let roof = roof(self.ctx, machine, self.home)?;
        self.report("observing the operators", 0.98);
        let observed = observe(self.ctx, plan, inputs, costs, Some(&roof))?;
        if let Some(path) = &self.request.trace {
            write_trace(path, &observed, &plan.device().label())?;
        }
        self.roof = Some(roof);
        self.observed = Some(observed);
        Ok(())
    }

    /// `share`: of the present configuration.
    fn report(&self, stage: &str, share: f64) {
        const PARTS: f64 = 1000.0;
        let done = ((self.n_done as f64 + share) * PARTS) as u64;
        let total = Some((self.n_configurations as f64 * PARTS) as u64);
        self.ctx.report(Progress { stage: stage.to_owned(), done, total, ..Progress::default() });
    }

    fn finish(self, model: &OpenModel, compressed_bytes: u64, machine: Machine, load_ms: f64, devices: Vec<OnDevice>) -> ProfileReport {
        let size = size(model, compressed_bytes);
        let limit = self.request.max_latency;
        let fitting = self.request.fit.and_then(|target| {
            let wanted = target.threads.or_else(|| self.threads.first().copied());
            let run = self.runs.iter().find(|run| Some(run.threads) == wanted)?;
            Some(fit::fit(&target, run, &self.memory, size.weight_bytes, limit))
        });
        let mut notes = self.feeder.notes.clone();
        notes.push(format!("each configuration: {}", self.request.effort.describe()));
        if let Some(n_known) = self.fewest_known.filter(|n_known| *n_known < ENOUGH_KNOWN) {
            let how_often =
                if n_known == 0 { "for the first time".to_owned() } else { format!("{} before", format::counted(n_known as u64, "time")) };
            notes.push(format!("measured like this {how_often} on this machine: whether it was at its best is for later profiles to tell"));
        }
        if let Some(observed) = &self.observed {
            notes.push(
                "the time of operators is an attribution, from runs under observation: it shows where time goes, and compares nothing".to_owned(),
            );
            if observed.operators.iter().any(|operator| operator.runs_on == RunsOn::Gpu) {
                let how = if observed.trace.is_complete {
                    "each operator on the GPU was waited for, so its time holds the way there and back, which plain runs save"
                } else {
                    "the time that operators take on the GPU is not measured"
                };
                notes.push(how.to_owned());
            }
        }
        let pace = self.request.effort.pace();
        let first_device = devices.first();
        let (observed, between) = self.observed.map(|observed| (observed.operators, observed.between_ms)).unzip();
        ProfileReport {
            model: model.title(),
            path: model.path.display().to_string(),
            sha256: model.sha256().to_owned(),
            date: Provenance::now().date,
            device: first_device.map_or_else(String::new, |device| device.device.clone()),
            threads: self.threads.first().copied().unwrap_or(1),
            machine,
            settings: Settings {
                effort: self.request.effort,
                seed: self.request.seed,
                data: self.request.data.as_ref().map(|path| path.display().to_string()),
                window_ms: pace.window.as_millis() as u64,
                window_runs: pace.window_runs,
                max_windows: pace.max_windows,
                limit_ms: pace.limit.as_millis() as u64,
            },
            load_ms,
            compile_ms: first_device.map_or(0.0, |device| device.compile_ms),
            first_run_ms: first_device.map_or(0.0, |device| device.first_run_ms),
            peak_memory_bytes: self.peak_memory_bytes,
            memory: self.memory,
            size,
            devices,
            max_latency_ms: limit.map(ms),
            sweet_spot: sweep::sweet_spot(&self.runs, limit.map(ms)),
            pareto: sweep::pareto(&self.runs),
            runs: self.runs,
            roof: self.roof,
            operators: observed.filter(|_| self.request.operators),
            between_operators_ms: between,
            fit: fitting,
            notes,
        }
    }
}

/// How fast this machine is, against what the data home remembers of it.
struct MachineBeside<'a> {
    machine: &'a Machine,
    home: Option<&'a Path>,
    probe: Option<Probe>,
    /// Of the runs so far: what stands beside the model is no part of its memory.
    peak_bytes: Option<u64>,
    /// Earlier measurements that it can be held against.
    n_known: usize,
}

impl Beside for MachineBeside<'_> {
    fn fit(&mut self, run_seconds: f64) -> Option<f64> {
        self.peak_bytes = memory::peak_bytes();
        let probe = self.probe.insert(Probe::beside(run_seconds));
        let remembered = probe.remembered(self.machine, self.home);
        self.n_known = remembered.len();
        remembered.into_iter().min_by(f64::total_cmp)
    }

    fn seconds(&mut self) -> f64 {
        self.probe.as_mut().map_or(0.0, Probe::seconds)
    }
}

/// The threads of a configuration: those of this process, or a pool of their own.
enum Threads {
    Own,
    Pool(rayon::ThreadPool),
}

impl Threads {
    fn new(n: usize) -> Result<Self, ProfileError> {
        if n == rayon::current_num_threads() {
            return Ok(Self::Own);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).thread_name(|index| format!("profile-{index}")).build();
        pool.map(Self::Pool).map_err(|error| ProfileError::Threads(n, error.to_string()))
    }

    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::Own => work(),
            Self::Pool(pool) => pool.install(work),
        }
    }
}

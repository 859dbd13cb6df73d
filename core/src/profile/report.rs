//! What was found, as plain data: what scripts read, and what every view is made from.

use super::operators::OperatorReport;
use super::statistics::{Histogram, Summary, Window};
use super::{Effort, FitReport, SizeReport};
use crate::machine::Machine;
use crate::machine::roof::Roof;

/// The answer to `drydock profile`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ProfileReport {
    /// "payment-fraud v3".
    pub model: String,
    pub path: String,
    /// Of its content, see [`crate::model::OpenModel::sha256`].
    pub sha256: String,
    /// RFC 3339, in UTC.
    pub date: String,
    /// The device of the first configuration; all are in `devices`.
    pub device: String,
    /// Worker threads of the first configuration.
    pub threads: usize,
    pub machine: Machine,
    pub settings: Settings,
    /// Reading the file and finding out what it means, the file being in the system's cache.
    pub load_ms: f64,
    /// Passes, packing of weights, the plan: on the first device.
    pub compile_ms: f64,
    /// The first run after that; on a GPU it builds the shaders.
    pub first_run_ms: f64,
    /// The most resident memory of the process while it ran the model.
    pub peak_memory_bytes: Option<u64>,
    pub memory: MemoryReport,
    pub size: SizeReport,
    pub devices: Vec<OnDevice>,
    /// One for each configuration: devices, then threads, then batches.
    pub runs: Vec<RunReport>,
    pub max_latency_ms: Option<f64>,
    /// The stable configuration with the most rows a second among those that keep to the budget; an index into `runs`.
    pub sweet_spot: Option<usize>,
    /// Configurations that no other one beats in both latency and throughput; indices into `runs`, by latency.
    pub pareto: Vec<usize>,
    /// What this machine can do at most, with the threads of the first configuration.
    pub roof: Option<Roof>,
    /// Steps of a run, in order, of the first configuration. A way to see where time goes, not a comparison.
    pub operators: Option<Vec<OperatorReport>>,
    /// Time of the observed runs between the operators.
    pub between_operators_ms: Option<f64>,
    pub fit: Option<FitReport>,
    /// Where inputs came from, and anything else worth a line.
    pub notes: Vec<String>,
}

/// How it was measured.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Settings {
    pub effort: Effort,
    pub seed: u64,
    pub data: Option<String>,
    pub window_ms: u64,
    pub window_runs: usize,
    pub max_windows: usize,
    pub limit_ms: u64,
}

/// Getting ready on one device.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OnDevice {
    pub device: String,
    pub compile_ms: f64,
    pub first_run_ms: f64,
}

/// Memory of the first configuration, planned beside measured.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct MemoryReport {
    /// Largest sum of activations alive at once in the plan.
    pub planned_activation_bytes: Option<u64>,
    /// Resident before the model was loaded: the program itself.
    pub resident_before_bytes: Option<u64>,
    /// Resident once it was loaded and compiled.
    pub resident_ready_bytes: Option<u64>,
    pub resident_peak_bytes: Option<u64>,
    /// Not measured: the GPU's own allocator does not tell.
    pub gpu_peak_bytes: Option<u64>,
}

/// Memory of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ConfigurationMemory {
    pub planned_activation_bytes: Option<u64>,
    pub resident_peak_bytes: Option<u64>,
}

/// Warm runs of one configuration.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RunReport {
    pub device: String,
    pub threads: usize,
    pub batch: usize,
    /// Runs that the figures are of: those of the last three windows.
    pub n: usize,
    pub latency_ms: LatencyReport,
    pub rows_per_second: f64,
    /// Whether the last three windows lay within 10 % of each other, in latency and throughput, while the machine was within 5 % of its best.
    pub stable: bool,
    /// What a fixed piece of work took meanwhile, in terms of the best that is known of this machine: 1.1 is 10 % slower. Not looked at on a GPU.
    pub machine_slowdown: Option<f64>,
    /// `this machine was 12 % slower than at its best`.
    pub unstable_because: Option<String>,
    pub windows: Vec<Window>,
    pub histogram: HistogramReport,
    /// The first runs, warm-up included, in order.
    pub warm_up_ms: Vec<f64>,
    pub memory: ConfigurationMemory,
    /// Whether the budget is kept; `None` without one, and where the measurement is not stable.
    pub within_budget: Option<bool>,
}

/// Latencies in milliseconds. A percentile that too few runs were made for is not there.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct LatencyReport {
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub p999: Option<f64>,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    pub std: f64,
}

impl From<Summary> for LatencyReport {
    fn from(summary: Summary) -> Self {
        let ms = |seconds: f64| seconds * 1e3;
        Self {
            p50: summary.p50.map(ms),
            p90: summary.p90.map(ms),
            p95: summary.p95.map(ms),
            p99: summary.p99.map(ms),
            p999: summary.p999.map(ms),
            mean: ms(summary.mean),
            min: ms(summary.min),
            max: ms(summary.max),
            std: ms(summary.std),
        }
    }
}

impl LatencyReport {
    /// What stands for the latency in one number: the median, or the mean of very few runs.
    pub fn typical(&self) -> f64 {
        self.p50.unwrap_or(self.mean)
    }

    /// What a budget is held against, with its name: the 95th percentile, or the slowest of runs too few for one.
    pub fn judged(&self) -> (f64, &'static str) {
        self.p95.map_or((self.max, "max"), |p95| (p95, "p95"))
    }
}

/// How many runs took how long.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct HistogramReport {
    pub start_ms: f64,
    pub bin_ms: f64,
    pub counts: Vec<u64>,
    /// Runs beyond the last bin.
    pub n_above: u64,
}

impl From<Histogram> for HistogramReport {
    fn from(histogram: Histogram) -> Self {
        Self { start_ms: histogram.start * 1e3, bin_ms: histogram.width * 1e3, counts: histogram.counts, n_above: histogram.n_above }
    }
}

impl RunReport {
    /// `batch 8 · 2 threads`, with the device where there are several.
    pub fn name(&self, with_device: bool) -> String {
        let threads = crate::format::counted(self.threads as u64, "thread");
        let device = if with_device { format!(" · {}", self.device) } else { String::new() };
        format!("batch {} · {threads}{device}", self.batch)
    }
}

/// The figures of a profile that its model's history is made of.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ProfileSummary {
    /// RFC 3339, in UTC.
    pub date: String,
    /// Hash of [`Machine`]: only runs on the same one are compared.
    pub machine: String,
    pub device: String,
    pub threads: usize,
    pub batch: usize,
    pub stable: bool,
    pub p50_ms: f64,
    pub p95_ms: Option<f64>,
    pub rows_per_second: f64,
    pub load_ms: f64,
    pub peak_memory_bytes: Option<u64>,
    pub file_bytes: u64,
}

impl ProfileReport {
    /// What is kept of this profile for the model's history: its first configuration.
    pub fn summary(&self) -> Option<ProfileSummary> {
        let run = self.runs.first()?;
        Some(ProfileSummary {
            date: self.date.clone(),
            machine: self.machine.hash.clone(),
            device: run.device.clone(),
            threads: run.threads,
            batch: run.batch,
            stable: run.stable,
            p50_ms: run.latency_ms.typical(),
            p95_ms: run.latency_ms.p95,
            rows_per_second: run.rows_per_second,
            load_ms: self.load_ms,
            peak_memory_bytes: self.peak_memory_bytes,
            file_bytes: self.size.file_bytes,
        })
    }

    /// Whether configurations ran on more than one device.
    pub fn has_devices(&self) -> bool {
        self.devices.len() > 1
    }
}

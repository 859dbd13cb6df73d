//! What this installation is and has: version, processor, graphics adapters, where files live, how much of ONNX it runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::home;
use crate::ops;
use crate::tensor::device::{adapters, cpu_features, driver_messages};

/// The answer to `drydock doctor`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DoctorReport {
    pub version: &'static str,
    pub operating_system: &'static str,
    pub architecture: &'static str,
    /// The widest vector extension in use: `AVX-512`.
    pub cpu_features: &'static str,
    /// Cores that this process may use.
    pub cpu_cores: usize,
    /// As `--device gpu:N` counts them.
    pub gpus: Vec<GpuReport>,
    /// What graphics drivers printed while they were asked.
    pub driver_messages: Vec<String>,
    /// Where Drydock keeps its data; `None` where the system has no such place.
    pub home: Option<PathBuf>,
    /// Supported operators by domain.
    pub operators: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GpuReport {
    pub name: String,
    /// Drawn by the CPU: correct, and slow.
    pub is_software: bool,
}

/// Looks at the machine. The only place that probes for graphics adapters without being asked to use one.
pub fn doctor() -> DoctorReport {
    let mut types: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for registration in ops::registrations() {
        let domain = if registration.domain.is_empty() { "ai.onnx" } else { registration.domain };
        types.entry(domain.to_owned()).or_default().push(registration.op_type);
    }
    let operators = types
        .into_iter()
        .map(|(domain, mut types)| {
            types.sort_unstable();
            types.dedup();
            (domain, types.len() as u64)
        })
        .collect();
    DoctorReport {
        version: env!("CARGO_PKG_VERSION"),
        operating_system: std::env::consts::OS,
        architecture: std::env::consts::ARCH,
        cpu_features: cpu_features(),
        cpu_cores: std::thread::available_parallelism().map_or(1, usize::from),
        gpus: adapters().iter().map(|adapter| GpuReport { name: adapter.name.clone(), is_software: adapter.is_software }).collect(),
        driver_messages: driver_messages(),
        home: home::folder().ok(),
        operators,
    }
}

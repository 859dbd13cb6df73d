//! The machine that a measurement was made on, in the words that make two measurements comparable, and what it can do at most.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::tensor::device::cpu_features;

pub mod heap;
mod kept;
pub mod memory;
pub mod probe;
pub mod roof;

/// What has to be the same for two measurements to be compared.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Machine {
    /// The processor's name: `AMD EPYC 9654`.
    pub cpu: String,
    /// The widest vector extension in use: `AVX-512`.
    pub cpu_features: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Of the whole machine; `None` where the system does not say.
    pub memory_bytes: Option<u64>,
    pub operating_system: String,
    pub architecture: String,
    /// How the clock of the processor is governed, where the system says so: `performance`, `powersave`.
    pub governor: Option<String>,
    /// Version and profile of this program: `0.1.0 release`.
    pub build: String,
    /// Twelve hexadecimal digits that stand for all of the above.
    pub hash: String,
}

impl Machine {
    /// This machine, now.
    pub fn here() -> Self {
        let mut machine = Self {
            cpu: cpu_name().unwrap_or_else(|| "unknown processor".to_owned()),
            cpu_features: cpu_features().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory_bytes(),
            operating_system: operating_system(),
            architecture: std::env::consts::ARCH.to_owned(),
            governor: first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            build: format!("{} {}", env!("CARGO_PKG_VERSION"), if cfg!(debug_assertions) { "debug" } else { "release" }),
            hash: String::new(),
        };
        machine.hash = machine.fingerprint();
        machine
    }

    fn fingerprint(&self) -> String {
        let memory = self.memory_bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
        let cores = self.cores.to_string();
        let parts = [
            &self.cpu,
            &self.cpu_features,
            &cores,
            &memory,
            &self.operating_system,
            &self.architecture,
            self.governor.as_deref().unwrap_or_default(),
            &self.build,
        ];
        let digest = Sha256::digest(parts.join("\n").as_bytes());
        digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// One line: `AMD EPYC 9654 · AVX-512 · 2 cores · 24 GB`.
    pub fn describe(&self) -> String {
        let mut parts = vec![self.cpu.clone(), self.cpu_features.clone(), crate::format::counted(self.cores as u64, "core")];
        parts.extend(self.memory_bytes.map(crate::format::bytes));
        parts.extend(self.governor.as_ref().map(|governor| format!("governor {governor}")));
        parts.join(" · ")
    }
}

fn cpu_name() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = |key: &str| {
        let line = info.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == key))?;
        line.split_once(':').map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    value("model name").or_else(|| value("Model")).or_else(|| value("CPU part").map(|part| format!("CPU part {part}")))
}

fn memory_bytes() -> Option<u64> {
    memory::kilobytes(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal")
}

fn operating_system() -> String {
    let kernel = first_line("/proc/sys/kernel/osrelease").map(|release| format!(" {release}")).unwrap_or_default();
    format!("{}{kernel}", std::env::consts::OS)
}

fn first_line(path: impl AsRef<Path>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_stands_for_all_that_matters() {
        let here = Machine::here();
        assert_eq!(here.hash.len(), 12);
        assert_eq!(here.hash, Machine::here().hash);
        let other = Machine { governor: Some("powersave at night".to_owned()), ..here.clone() };
        assert_ne!(other.fingerprint(), here.hash);
        assert!(here.describe().contains(&here.cpu_features), "{}", here.describe());
    }
}

//! Devices: the CPU, and GPUs through wgpu. Discovery never panics and happens only when a GPU is asked about, because probing graphics
//! drivers costs a tenth of a second. What drivers print meanwhile is kept: [`driver_messages`].

use std::sync::{Mutex, OnceLock};

use burn::backend::{CubeDevice, WgpuBackend, WgpuDevice, WgpuDeviceKind};
use burn::tensor::{Device as BurnDevice, DeviceKind};

use crate::stderr;

/// Where a model runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Device {
    #[default]
    Cpu,
    Gpu(GpuDevice),
}

/// An opened GPU.
#[derive(Debug, Clone)]
pub struct GpuDevice {
    burn: BurnDevice,
    name: String,
    is_software: bool,
}

impl Device {
    /// Waits until the device has done all that it was asked to do; whether it can say so. The CPU is never behind.
    pub(crate) fn wait(&self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Gpu(gpu) => gpu.burn.sync().is_ok(),
        }
    }
}

impl PartialEq for GpuDevice {
    fn eq(&self, other: &Self) -> bool {
        self.burn == other.burn
    }
}

/// What the user asked for: `cpu`, `gpu`, `gpu:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    #[default]
    Cpu,
    /// The first hardware GPU, or a software adapter where there is no other; or the N-th adapter of `drydock doctor`.
    Gpu(Option<usize>),
}

impl std::str::FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "gpu" => Ok(Self::Gpu(None)),
            Some(("gpu", index)) => index.parse().map(|index| Self::Gpu(Some(index))).map_err(|_| DeviceError::Unknown(text.to_owned())),
            _ => Err(DeviceError::Unknown(text.to_owned())),
        }
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(None) => f.write_str("gpu"),
            Self::Gpu(Some(index)) => write!(f, "gpu:{index}"),
        }
    }
}

/// A device can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    #[error("there is no device '{0}'; use cpu, gpu or gpu:N (drydock doctor lists them)")]
    Unknown(String),
    #[error("no GPU adapter was found on this machine; run with --device cpu (drydock doctor shows what was probed)")]
    NoAdapter,
    #[error("there is no GPU adapter number {index}; this machine has {count} (drydock doctor lists them)")]
    NoSuchAdapter { index: usize, count: usize },
    #[error("the GPU adapter could not be opened: {0}; run with --device cpu")]
    Open(String),
}

/// One adapter that the graphics drivers offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    pub name: String,
    /// Drawn by the CPU (llvmpipe): correct, and slow.
    pub is_software: bool,
    kind: DeviceKind,
    graphics: WgpuBackend,
}

/// Every adapter, hardware first. Probed once a process.
pub fn adapters() -> &'static [Adapter] {
    static ADAPTERS: OnceLock<Vec<Adapter>> = OnceLock::new();
    ADAPTERS.get_or_init(|| {
        // Graphics drivers are foreign code; a panic while probing them means "no adapter", not the end of the program.
        heard(|| std::panic::catch_unwind(probe).unwrap_or_default())
    })
}

/// Lines that graphics drivers have printed while they were probed and opened, each once.
pub fn driver_messages() -> Vec<String> {
    MESSAGES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

static MESSAGES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Does something with foreign code that prints.
fn heard<T>(work: impl FnOnce() -> T) -> T {
    let (result, printed) = stderr::collected(work);
    let mut messages = MESSAGES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for line in printed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !messages.iter().any(|known| known == line) {
            messages.push(line.to_owned());
        }
    }
    result
}

impl Device {
    /// Opens what the user asked for.
    pub fn open(choice: DeviceChoice) -> Result<Self, DeviceError> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::Cpu),
            DeviceChoice::Gpu(index) => {
                let adapters = adapters();
                let index = index.unwrap_or(0);
                let Some(adapter) = adapters.get(index) else {
                    return Err(if adapters.is_empty() {
                        DeviceError::NoAdapter
                    } else {
                        DeviceError::NoSuchAdapter { index, count: adapters.len() }
                    });
                };
                open_adapter(adapter).map(Self::Gpu)
            }
        }
    }

    pub fn is_cpu(&self) -> bool {
        matches!(self, Self::Cpu)
    }

    /// As a face shows it: `CPU · AVX-512`, `GPU · NVIDIA H200`.
    pub fn label(&self) -> String {
        match self {
            Self::Cpu => format!("CPU · {}", cpu_features()),
            Self::Gpu(gpu) if gpu.is_software => format!("GPU · {} (software)", gpu.name),
            Self::Gpu(gpu) => format!("GPU · {}", gpu.name),
        }
    }

    pub(crate) fn burn(&self) -> BurnDevice {
        match self {
            Self::Cpu => BurnDevice::flex(),
            Self::Gpu(gpu) => gpu.burn.clone(),
        }
    }
}

/// The widest vector extension that this CPU has and the kernels use.
pub fn cpu_features() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "AVX-512";
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return "AVX2";
        }
        "SSE2"
    }
    #[cfg(target_arch = "aarch64")]
    {
        "NEON"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "portable"
    }
}

/// Graphics interfaces in the order of preference. The rest (OpenGL) are asked only where these find nothing.
const PREFERRED: WgpuBackend = if cfg!(target_vendor = "apple") { WgpuBackend::Metal } else { WgpuBackend::Vulkan };

fn probe() -> Vec<Adapter> {
    let mut adapters = probe_on(PREFERRED);
    if adapters.is_empty() {
        adapters = probe_on(WgpuBackend::Auto);
    }
    adapters.sort_by_key(|adapter| adapter.is_software);
    adapters
}

fn probe_on(graphics: WgpuBackend) -> Vec<Adapter> {
    let kinds = [WgpuDeviceKind::DiscreteGpu(0), WgpuDeviceKind::IntegratedGpu(0), WgpuDeviceKind::VirtualGpu(0), WgpuDeviceKind::Cpu];
    let found = kinds.into_iter().flat_map(|kind| CubeDevice::enumerate(CubeDevice::Wgpu(WgpuDevice::new(kind).on(graphics)).to_id()));
    found.filter_map(|id| Adapter::of(&CubeDevice::from_id(id))).collect()
}

impl Adapter {
    fn of(device: &CubeDevice) -> Option<Self> {
        let CubeDevice::Wgpu(device) = device else { return None };
        let (kind, name) = match device.kind {
            WgpuDeviceKind::DiscreteGpu(index) => (DeviceKind::DiscreteGpu(index), format!("discrete GPU {index}")),
            WgpuDeviceKind::IntegratedGpu(index) => (DeviceKind::IntegratedGpu(index), format!("integrated GPU {index}")),
            WgpuDeviceKind::VirtualGpu(index) => (DeviceKind::VirtualGpu(index), format!("virtual GPU {index}")),
            WgpuDeviceKind::Cpu => (DeviceKind::Cpu, "software adapter".to_owned()),
            _ => return None,
        };
        Some(Self { name, is_software: kind == DeviceKind::Cpu, kind, graphics: device.backend })
    }
}

/// Opens an adapter. burn refuses to open one twice, so what was opened (or why it could not be) is kept for the life of the process.
fn open_adapter(adapter: &Adapter) -> Result<GpuDevice, DeviceError> {
    static OPENED: Mutex<Vec<(DeviceKind, Result<GpuDevice, DeviceError>)>> = Mutex::new(Vec::new());
    let mut opened = OPENED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((_, result)) = opened.iter().find(|(kind, _)| *kind == adapter.kind) {
        return result.clone();
    }
    // Graphics drivers are foreign code: a panic while opening one is an error with a message.
    let result = heard(|| std::panic::catch_unwind(|| initialize(adapter)));
    let result = result.unwrap_or_else(|_| Err(DeviceError::Open("its driver broke down".to_owned())));
    opened.push((adapter.kind.clone(), result.clone()));
    result
}

fn initialize(adapter: &Adapter) -> Result<GpuDevice, DeviceError> {
    let burn = BurnDevice::wgpu_options()
        .device_kind(adapter.kind.clone())
        .graphics_api(adapter.graphics)
        .init()
        .map_err(|error| DeviceError::Open(error.to_string()))?;
    let name = burn.identity().map_or_else(|| adapter.name.clone(), |identity| identity.name);
    Ok(GpuDevice { burn, name, is_software: adapter.is_software })
}

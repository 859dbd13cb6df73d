//! A model opened for work: the file, what it says, its contract, and its compiled plan.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

mod content;

pub(crate) use content::hex;
pub use content::{Content, ContentFile, sha256};

use crate::contract::{Contract, ContractSource};
use crate::engine::{Plan, PlanError, PlanOptions};
use crate::graph::Model;
use crate::tensor::Device;
use crate::{Error, onnx, task::TaskCtx};

/// Where an opened model was found.
#[derive(Debug, Clone, Default)]
pub enum Origin {
    /// A file that somebody named.
    #[default]
    File,
    /// A version of the registry.
    Registered { name: String, version: u32 },
    /// A package, taken apart for as long as the model is open.
    Package { path: PathBuf, folder: Arc<tempfile::TempDir> },
}

/// An opened model. Immutable: jobs hold an `Arc` of it while the faces go on.
#[derive(Debug)]
pub struct OpenModel {
    pub path: PathBuf,
    pub file_bytes: u64,
    pub model: Model,
    pub contract: Contract,
    pub contract_source: ContractSource,
    pub device: Device,
    pub origin: Origin,
    /// The files themselves, as they were when the model was opened.
    pub content: Content,
    /// The compiled plan, or why there is none: a model that can't run can still be inspected. Empty until somebody wants to run it.
    plan: OnceLock<Result<Arc<Plan>, PlanError>>,
}

impl OpenModel {
    /// Loads a model and compiles it for a device.
    pub fn open(ctx: &TaskCtx, path: &Path, device: Device) -> Result<Self, Error> {
        let opened = Self::load(ctx, path, device)?;
        opened.prepare(ctx);
        Ok(opened)
    }

    /// Compiles a model that was loaded to look at it, so that the first run need not.
    pub fn prepare(&self, ctx: &TaskCtx) {
        let _ = self.plan.get_or_init(|| self.compile(ctx));
    }

    /// Loads a model to look at it: weights are not touched, nothing is compiled.
    pub fn load(ctx: &TaskCtx, path: &Path, device: Device) -> Result<Self, Error> {
        let file = onnx::load(ctx, path)?;
        let contract = Contract::for_model(&file.model, path)?;
        let opened = Self::from_parts(path.to_owned(), file.bytes.len() as u64, file.model, contract, device);
        Ok(Self { content: Content::new(file.bytes, file.external), ..opened })
    }

    pub(crate) fn from_parts(path: PathBuf, file_bytes: u64, model: Model, contract: (Contract, ContractSource), device: Device) -> Self {
        let (contract, contract_source) = contract;
        Self { path, file_bytes, model, contract, contract_source, device, origin: Origin::File, content: Content::default(), plan: OnceLock::new() }
    }

    /// What identifies the model whatever its file is called: see [`Content::sha256`]. Computed at the first call, which reads every byte.
    pub fn sha256(&self) -> &str {
        self.content.sha256()
    }

    /// The plan, or the error that says why the model can't run. Compiles at the first call if [`Self::load`] opened the model.
    pub fn plan(&self) -> Result<&Arc<Plan>, PlanError> {
        self.plan.get_or_init(|| self.compile(&TaskCtx::unattended())).as_ref().map_err(Clone::clone)
    }

    /// Why the model can't run, if that was tried. Never compiles, so a face may ask while it draws.
    pub fn plan_error(&self) -> Option<&PlanError> {
        self.plan.get()?.as_ref().err()
    }

    fn compile(&self, ctx: &TaskCtx) -> Result<Arc<Plan>, PlanError> {
        Plan::compile(ctx, &self.model, &PlanOptions { device: self.device.clone(), ..PlanOptions::default() }).map(Arc::new)
    }

    /// What to write for this model on a command line.
    pub fn argument(&self) -> PathBuf {
        match &self.origin {
            Origin::File => self.path.clone(),
            Origin::Registered { name, version } => format!("{name}:{version}").into(),
            Origin::Package { path, .. } => path.clone(),
        }
    }

    /// The registry's name and version, or the contract's, or the file's stem.
    pub fn title(&self) -> String {
        if let Origin::Registered { name, version } = &self.origin {
            return format!("{name} v{version}");
        }
        let stem = || self.argument().file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let name = self.contract.name.clone().unwrap_or_else(stem);
        match self.contract.version {
            Some(version) => format!("{name} v{version}"),
            None => name,
        }
    }
}

//! A model opened for work: the file, what it says, its contract, and its compiled plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::contract::{Contract, ContractSource};
use crate::engine::{Plan, PlanError, PlanOptions};
use crate::graph::Model;
use crate::tensor::Device;
use crate::{Error, onnx, task::TaskCtx};

/// An opened model. Immutable: jobs hold an `Arc` of it while the faces go on.
#[derive(Debug)]
pub struct OpenModel {
    pub path: PathBuf,
    pub file_bytes: u64,
    pub model: Model,
    pub contract: Contract,
    pub contract_source: ContractSource,
    pub device: Device,
    /// The compiled plan, or why there is none: a model that can't run can still be inspected.
    pub plan: Result<Arc<Plan>, PlanError>,
}

impl OpenModel {
    /// Loads a model and compiles it for a device.
    pub fn open(ctx: &TaskCtx, path: &Path, device: Device) -> Result<Self, Error> {
        let file = onnx::load(ctx, path)?;
        let (contract, contract_source) = Contract::for_model(&file.model, path)?;
        let plan = Plan::compile(ctx, &file.model, &PlanOptions { device: device.clone(), ..PlanOptions::default() }).map(Arc::new);
        Ok(Self { path: path.to_owned(), file_bytes: file.file_bytes, model: file.model, contract, contract_source, device, plan })
    }

    /// The plan, or the error that says why the model can't run.
    pub fn plan(&self) -> Result<&Arc<Plan>, Error> {
        self.plan.as_ref().map_err(|error| Error::Plan(error.clone()))
    }

    /// The contract's name and version, or the file's stem.
    pub fn title(&self) -> String {
        let stem = || self.path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let name = self.contract.name.clone().unwrap_or_else(stem);
        match self.contract.version {
            Some(version) => format!("{name} v{version}"),
            None => name,
        }
    }
}

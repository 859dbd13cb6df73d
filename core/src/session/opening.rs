//! Opening models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{JobKind, JobResult, OpenedModel, Session, file_name};
use crate::jobs::JobId;
use crate::model::OpenModel;
use crate::task::TaskCtx;
use crate::tensor::Device;
use crate::tensor::device::DeviceChoice;
use crate::{Error, inspect};

impl Session {
    pub(super) fn open(&mut self, path: PathBuf, device: DeviceChoice, open: fn(&TaskCtx, &Path, Device) -> Result<OpenModel, Error>) -> JobId {
        let label = format!("opening {}", model_name(&path));
        self.start(JobKind::Open, label, move |ctx| {
            let model = open(ctx, &path, Device::open(device)?)?;
            let report = inspect::inspect(&model);
            Ok(JobResult::Opened(Box::new(OpenedModel { model: Arc::new(model), report: Arc::new(report), device })))
        })
    }
}

/// A model's file, with its folder where the file's own name says nothing.
fn model_name(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).filter(|_| path.file_name().is_some_and(|name| name == "model.onnx"));
    folder.map_or_else(|| file_name(path), |folder| format!("{}/model.onnx", folder.to_string_lossy()))
}

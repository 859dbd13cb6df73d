//! Opening models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{JobKind, JobResult, OpenedModel, Session};
use crate::format;
use crate::jobs::JobId;
use crate::tensor::Device;
use crate::tensor::device::DeviceChoice;
use crate::{inspect, resolve};

impl Session {
    pub(super) fn open(&mut self, path: PathBuf, device: DeviceChoice, is_to_run: bool) -> JobId {
        let label = format!("opening {}", model_name(&path));
        let (home, notes) = (self.recording.home.clone(), self.recorder());
        self.start(JobKind::Open, label, move |ctx| {
            let model = resolve::open(ctx, home.as_deref(), &path, Device::open(device)?, &mut |note| notes.note(note))?;
            if is_to_run {
                model.prepare(ctx);
            }
            let report = inspect::inspect(&model);
            Ok(JobResult::Opened(Box::new(OpenedModel { model: Arc::new(model), report: Arc::new(report), device })))
        })
    }
}

/// A model's file, with its folder where the file's own name says nothing.
fn model_name(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).filter(|_| path.file_name().is_some_and(|name| name == "model.onnx"));
    folder.map_or_else(|| format::file_name(path), |folder| format!("{}/model.onnx", folder.to_string_lossy()))
}

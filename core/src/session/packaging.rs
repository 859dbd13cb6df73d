//! Making packages and checking them.

use std::path::PathBuf;

use super::{JobKind, JobResult, Session};
use crate::format;
use crate::jobs::JobId;
use crate::package::{self, PackageRequest};
use crate::registry::Registry;
use crate::tensor::Device;
use crate::tensor::device::DeviceChoice;

impl Session {
    pub(super) fn package(&mut self, request: PackageRequest) -> Option<JobId> {
        let model = self.model()?;
        let (home, label) = (self.recording.home.clone(), format!("packing {}", model.title()));
        Some(self.start(JobKind::Package, label, move |ctx| {
            let registry = home.as_deref().map(Registry::open_to_read).transpose()?.flatten();
            let runs = registry.map(|registry| registry.runs(model.sha256(), None)).transpose()?.unwrap_or_default();
            Ok(JobResult::Packaged(package::package(ctx, home.as_deref(), &model, &runs, &request)?))
        }))
    }

    pub(super) fn check_package(&mut self, path: PathBuf, device: DeviceChoice) -> JobId {
        let label = format!("checking {}", format::file_name(&path));
        self.start(JobKind::Package, label, move |ctx| Ok(JobResult::PackageChecked(package::check(ctx, &path, &Device::open(device)?)?)))
    }
}

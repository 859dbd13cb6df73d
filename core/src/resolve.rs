//! What people write for a MODEL, on the command line and in forms: a path (of a model or a package), or `name`, `name:version`, `name@alias` of the registry. One reading
//! for every command. A path that exists wins.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;
use crate::contract::ContractSource;
use crate::model::{OpenModel, Origin, sha256};
use crate::package;
use crate::registry::{Found, ModelReference, Registry, RegistryError, Which};
use crate::task::TaskCtx;
use crate::tensor::Device;

/// Why what was written names no model.
#[derive(Debug, thiserror::Error)]
#[error("{}: there is no such file, and {reason}", path.display())]
pub struct UnknownModel {
    path: PathBuf,
    reason: String,
}

/// Opens a model to look at it, whatever way it is written. `note` hears what is worth a line, such as which version a name alone means.
pub fn open(ctx: &TaskCtx, home: Option<&Path>, model: &Path, device: Device, note: &mut dyn FnMut(String)) -> Result<OpenModel, Error> {
    let Some((home, reference)) = home.zip(reference(model)) else { return open_file(ctx, model, device) };
    let unknown = |reason: String| UnknownModel { path: model.to_owned(), reason };
    let Some(registry) = Registry::open_to_read(home)? else {
        let reason = format!("the registry in {} is empty; add a model with: drydock models add FILE --name NAME", home.display());
        return Err(unknown(reason).into());
    };
    let found = match registry.find(&reference) {
        Err(RegistryError::Refused(reason)) => return Err(unknown(reason).into()),
        found => found?,
    };
    if reference.which == Which::Latest {
        note(format!("{} means its latest version, {}", found.name, found.version));
    }
    open_found(ctx, &registry, &found, device)
}

/// Opens a version, whose files are held against their hashes.
pub fn open_found(ctx: &TaskCtx, registry: &Registry, found: &Found, device: Device) -> Result<OpenModel, Error> {
    let opened = OpenModel::load(ctx, &found.path, device);
    let is_whole = opened.as_ref().is_ok_and(|opened| opened.sha256() == found.sha256 && contract_of(opened) == found.contract_sha256());
    if !is_whole {
        // Names the file that was damaged, rather than what a damaged file looks like from within.
        registry.check_files(ctx, found)?;
    }
    let mut opened = opened?;
    opened.origin = Origin::Registered { name: found.name.clone(), version: found.version };
    Ok(opened)
}

fn open_file(ctx: &TaskCtx, path: &Path, device: Device) -> Result<OpenModel, Error> {
    if !package::is_package(path) {
        return OpenModel::load(ctx, path, device);
    }
    let unpacked = package::unpack(ctx, path)?;
    let mut opened = OpenModel::load(ctx, &unpacked.model_path(), device)?;
    opened.origin = Origin::Package { path: path.to_owned(), folder: Arc::new(unpacked.into_folder()) };
    Ok(opened)
}

/// The reference that a text is, unless it is a path.
fn reference(model: &Path) -> Option<ModelReference> {
    // A link that leads nowhere is a path too, and so is whatever can't be looked at.
    if model.symlink_metadata().is_ok() {
        return None;
    }
    model.to_str()?.parse().ok()
}

fn contract_of(opened: &OpenModel) -> String {
    match &opened.contract_source {
        ContractSource::Sidecar(path) => std::fs::read(path).map(|text| sha256(&text)).unwrap_or_default(),
        ContractSource::Metadata | ContractSource::Signature => String::new(),
    }
}

//! The registry: its acts as jobs, and the view of it that faces draw.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{JobKind, JobResult, LineageRequest, RegistryCommand, RegistryReport, Session};
use crate::jobs::JobId;
use crate::model::sha256;
use crate::registry::{Lineage, ModelReference, MoveKind, Registry, RegistryError, Which};
use crate::task::TaskCtx;
use crate::tensor::Device;
use crate::{Error, resolve};

/// A recipe is written by people or a program for people; a file larger than this is none.
const MAX_RECIPE_BYTES: u64 = 4 << 20;

/// How often another process's changes are looked for.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// How a session notices what other processes do to the registry.
#[derive(Debug, Default)]
pub(super) struct Following {
    has_changed: Option<Arc<AtomicBool>>,
    refreshing: Option<JobId>,
}

impl Session {
    pub(super) fn models(&mut self, command: RegistryCommand) -> JobId {
        let home = self.recording.home.clone();
        let kind = if command == RegistryCommand::Refresh { JobKind::Refresh } else { JobKind::Registry };
        self.start(kind, label(&command), move |ctx| {
            let home = home.ok_or(RegistryError::NoHome)?;
            let report = act(ctx, &home, &command)?;
            let view = match Registry::open_to_read(&home)? {
                Some(registry) => registry.view()?,
                None => crate::registry::RegistryView::default(),
            };
            Ok(JobResult::Registry(Box::new(view), report))
        })
    }

    /// Reads the registry again whenever another process has changed it. For faces that stay open.
    pub fn watch_registry(&mut self) {
        let Some(home) = self.recording.home.clone() else { return };
        self.models(RegistryCommand::Refresh);
        let (flag, wake) = (Arc::new(AtomicBool::new(false)), self.pool.wake());
        let watched = Arc::downgrade(&flag);
        self.following.has_changed = Some(flag);
        let watch = move || {
            let (mut registry, mut seen) = (None, None);
            // Ends with the session, which holds the flag.
            while let Some(flag) = watched.upgrade() {
                if registry.is_none() {
                    registry = Registry::open_to_read(&home).ok().flatten();
                }
                let version = registry.as_ref().and_then(|registry| registry.data_version().ok());
                // Refreshing reports what is wrong with a registry that can't be read; here it only looks unchanged.
                if version.is_some() && version != seen {
                    seen = version;
                    flag.store(true, Ordering::Release);
                    wake();
                }
                drop(flag);
                std::thread::sleep(WATCH_EVERY);
            }
        };
        // Without the thread the registry is still read after each of one's own acts.
        let _ = std::thread::Builder::new().name("registry-watch".to_owned()).spawn(watch);
    }

    /// Begins to read the registry again if another process has changed it.
    pub(super) fn follow_registry(&mut self) {
        let is_running = self.running.iter().any(|handle| Some(handle.id) == self.following.refreshing);
        let has_changed = self.following.has_changed.as_ref().is_some_and(|flag| flag.load(Ordering::Acquire));
        if has_changed && !is_running {
            if let Some(flag) = &self.following.has_changed {
                flag.store(false, Ordering::Release);
            }
            self.following.refreshing = Some(self.models(RegistryCommand::Refresh));
        }
    }
}

fn label(command: &RegistryCommand) -> String {
    match command {
        RegistryCommand::Refresh => "reading the registry".to_owned(),
        RegistryCommand::Add { name, .. } => format!("adding {name}"),
        RegistryCommand::SetAlias { model, alias, .. } => format!("pointing {alias} at {model}"),
        RegistryCommand::Promote { model, alias, .. } => format!("promoting {model} to {alias}"),
        RegistryCommand::RollBack { name, alias, .. } => format!("rolling back {alias} of {name}"),
        RegistryCommand::Protect { name, alias, is_protected: true, .. } => format!("protecting {alias} of {name}"),
        RegistryCommand::Protect { name, alias, .. } => format!("unprotecting {alias} of {name}"),
        RegistryCommand::RemoveAlias { name, alias, .. } => format!("removing {alias} of {name}"),
        RegistryCommand::Remove { model, .. } => format!("removing {model}"),
        RegistryCommand::SelfCheck => "checking the registry".to_owned(),
    }
}

/// Does one act.
fn act(ctx: &TaskCtx, home: &Path, command: &RegistryCommand) -> Result<Option<RegistryReport>, Error> {
    let moved = |moved| Ok(Some(RegistryReport::Moved(moved)));
    match command {
        RegistryCommand::Refresh => Ok(None),
        RegistryCommand::Add { model, name, lineage } => {
            crate::registry::check_model_name(name)?;
            let opened = resolve::open(ctx, Some(home), model, Device::Cpu, &mut |_| {})?;
            let lineage = lineage_of(ctx, home, lineage)?;
            Ok(Some(RegistryReport::Added(Registry::open(home)?.add(ctx, &opened, name, &lineage)?)))
        }
        RegistryCommand::SetAlias { model, alias, reason } => {
            let reference: ModelReference = model.parse()?;
            moved(Registry::open(home)?.set_alias(&reference, alias, MoveKind::Set, reason.as_deref())?)
        }
        RegistryCommand::Promote { model, alias, reason } => {
            let reference: ModelReference = model.parse()?;
            moved(Registry::open(home)?.set_alias(&reference, alias, MoveKind::Promote, reason.as_deref())?)
        }
        RegistryCommand::RollBack { name, alias, reason } => moved(Registry::open(home)?.roll_back(&name_alone(name)?, alias, reason.as_deref())?),
        RegistryCommand::Protect { name, alias, is_protected, reason } => {
            moved(Registry::open(home)?.protect_alias(&name_alone(name)?, alias, *is_protected, reason.as_deref())?)
        }
        RegistryCommand::RemoveAlias { name, alias, reason } => {
            moved(Registry::open(home)?.remove_alias(&name_alone(name)?, alias, reason.as_deref())?)
        }
        RegistryCommand::Remove { model, is_forced } => Ok(Some(RegistryReport::Removed(Registry::open(home)?.remove(&model.parse()?, *is_forced)?))),
        RegistryCommand::SelfCheck => {
            let check = match Registry::open_to_read(home)? {
                Some(registry) => registry.self_check(ctx)?,
                None => crate::registry::SelfCheck::default(),
            };
            Ok(Some(RegistryReport::Checked(check)))
        }
    }
}

/// The name of a model without a version: what an alias belongs to.
fn name_alone(text: &str) -> Result<String, RegistryError> {
    let reference: ModelReference = text.parse()?;
    match reference.which {
        Which::Latest => Ok(reference.name),
        _ => Err(RegistryError::Refused(format!("'{text}': the name of a model alone was expected, such as '{}'", reference.name))),
    }
}

fn lineage_of(ctx: &TaskCtx, home: &Path, request: &LineageRequest) -> Result<Lineage, Error> {
    let parent_sha256 = request.parent.as_deref().map(|parent| parent_hash(ctx, home, parent)).transpose()?;
    let recipe = request.recipe.as_deref().map(read_recipe).transpose()?;
    let data_sha256 = request.data.as_deref().map(|data| crate::registry::hash_file(ctx, data)).transpose()?;
    let data = request.data.as_ref().map(|data| std::path::absolute(data).unwrap_or_else(|_| data.clone()).display().to_string());
    Ok(Lineage { parent_sha256, recipe_sha256: recipe.as_ref().map(|text| sha256(text.as_bytes())), recipe, data, data_sha256 })
}

/// The content that a parent is: given by its hash, or as any MODEL.
fn parent_hash(ctx: &TaskCtx, home: &Path, parent: &str) -> Result<String, Error> {
    if parent.len() == 64 && parent.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(parent.to_ascii_lowercase());
    }
    let opened = resolve::open(ctx, Some(home), &PathBuf::from(parent), Device::Cpu, &mut |_| {})?;
    Ok(opened.sha256().to_owned())
}

fn read_recipe(path: &Path) -> Result<String, RegistryError> {
    let io_error = |source| RegistryError::Io { path: path.to_owned(), source };
    let n_bytes = std::fs::metadata(path).map_err(io_error)?.len();
    if n_bytes > MAX_RECIPE_BYTES {
        let sentence = format!("{}: a recipe of {} MB was not expected; its limit is {} MB", path.display(), n_bytes >> 20, MAX_RECIPE_BYTES >> 20);
        return Err(RegistryError::Refused(sentence));
    }
    std::fs::read_to_string(path).map_err(io_error)
}

//! `drydock models`: the registry.

use std::path::Path;

use drydock_core::format;
use drydock_core::registry::{AliasMove, AliasView, ModelView, RegistryView, VersionView};
use drydock_core::session::{Command, LineageRequest, RegistryCommand, RegistryReport};
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr as _;

pub mod args;

use super::args::CommonArgs;
use super::output::{Output, object, say};
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};
use crate::text::{Align, TextTable};
pub use args::ModelsArgs;
use args::{AliasArgs, ModelsCommand};

pub fn run(args: &ModelsArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let mut runner = Runner::new(common)?;
    let mut act = |command| -> Result<RegistryView, Failure> {
        runner.run(Command::Models(command))?;
        Ok(runner.session.state().registry.clone().unwrap_or_default())
    };
    match &args.act {
        ModelsCommand::List => {
            let view = act(RegistryCommand::Refresh)?;
            if output.json { output.document(list_document(&view)) } else { list(&view, &mut output.page) }
        }
        ModelsCommand::Show(args) => {
            let view = act(RegistryCommand::Refresh)?;
            let model = view.named(&args.name).map_err(|error| Failure::Error(error.to_string()))?;
            if output.json { output.document(object(model)) } else { show(&view, model, &mut output.page) }
        }
        ModelsCommand::History(args) => {
            let view = act(RegistryCommand::Refresh)?;
            let model = view.named(&args.name).map_err(|error| Failure::Error(error.to_string()))?;
            let moves = model.moves_of(args.alias.as_deref()).map_err(|error| Failure::Error(error.to_string()))?;
            if output.json { output.document(history_document(model, &moves)) } else { history(&moves, &mut output.page) }
        }
        other => {
            runner.run(Command::Models(command(other)))?;
            return tell(runner.session.state().registry_report.as_ref(), output);
        }
    }
    Ok(())
}

fn command(act: &ModelsCommand) -> RegistryCommand {
    match act {
        ModelsCommand::Add(args) => RegistryCommand::Add {
            model: args.file.clone(),
            name: args.name.clone(),
            lineage: LineageRequest { parent: args.parent.clone(), recipe: args.recipe.clone(), data: args.data.clone() },
        },
        ModelsCommand::Alias(args) => alias_command(args),
        ModelsCommand::Promote(args) => {
            RegistryCommand::Promote { model: args.model.clone(), alias: args.alias.clone(), reason: args.reason.clone() }
        }
        ModelsCommand::Rollback(args) => {
            RegistryCommand::RollBack { name: args.name.clone(), alias: args.alias.clone(), reason: args.reason.clone() }
        }
        ModelsCommand::Remove(args) => RegistryCommand::Remove { model: args.model.clone(), is_forced: args.force },
        ModelsCommand::Verify => RegistryCommand::SelfCheck,
        ModelsCommand::List | ModelsCommand::Show(_) | ModelsCommand::History(_) => RegistryCommand::Refresh,
    }
}

fn alias_command(args: &AliasArgs) -> RegistryCommand {
    let (name, alias, reason) = (args.model.clone(), args.alias.clone(), args.reason.clone());
    if args.delete {
        RegistryCommand::RemoveAlias { name, alias, reason }
    } else if args.protect || args.unprotect {
        RegistryCommand::Protect { name, alias, is_protected: args.protect, reason }
    } else {
        RegistryCommand::SetAlias { model: name, alias, reason }
    }
}

/// What came of an act.
fn tell(report: Option<&RegistryReport>, output: &mut Output) -> Result<(), Failure> {
    let Some(report) = report else { return Err(Failure::Error("the registry gave no report".to_owned())) };
    if output.json {
        output.document(match report {
            RegistryReport::Added(added) => object(added),
            RegistryReport::Moved(moved) => object(moved),
            RegistryReport::Removed(removed) => object(removed),
            RegistryReport::Checked(check) => object(check),
        });
    } else if let RegistryReport::Checked(check) = report {
        for problem in &check.problems {
            output.page.sentence(Tone::Plain, problem);
        }
        output.page.toned(if check.problems.is_empty() { Tone::Good } else { Tone::Bad }, &report.sentence());
    } else {
        if !output.quiet {
            report.notes().iter().for_each(|note| say(&format!("note: {note}")));
        }
        output.page.line(&report.sentence());
    }
    match report {
        RegistryReport::Checked(check) if !check.problems.is_empty() => Err(Failure::Judgement),
        _ => Ok(()),
    }
}

fn list_document(view: &RegistryView) -> Map<String, Value> {
    let models = view.models.iter().map(|model| {
        serde_json::json!({
            "name": model.name,
            "versions": model.versions.len(),
            "latest": model.versions.last().map(|version| version.version),
            "aliases": model.aliases,
        })
    });
    Map::from_iter([("models".to_owned(), models.collect())])
}

fn history_document(model: &ModelView, moves: &[&AliasMove]) -> Map<String, Value> {
    let moves = serde_json::to_value(moves).unwrap_or_default();
    Map::from_iter([("name".to_owned(), model.name.clone().into()), ("moves".to_owned(), moves)])
}

/// Every model on a line.
pub fn list(view: &RegistryView, page: &mut Page) {
    if view.models.is_empty() {
        page.line("the registry is empty; add a model with: drydock models add FILE --name NAME");
        return;
    }
    let mut table = TextTable::new(&[("model", Align::Left), ("latest", Align::Right), ("versions", Align::Right), ("aliases", Align::Left)]);
    for model in &view.models {
        let latest = model.versions.last().map_or_else(|| "—".to_owned(), |version| format!("v{}", version.version));
        table.push(vec![model.name.clone(), latest, format::count(model.versions.len() as u64), aliases_text(&model.aliases)]);
    }
    page.table(&table);
}

/// `champion v3, production v2 (protected)`.
pub fn aliases_text(aliases: &[AliasView]) -> String {
    let text = |alias: &AliasView| {
        let version = alias.version.map_or_else(|| "nothing yet".to_owned(), |version| format!("v{version}"));
        format!("{} {version}{}", alias.alias, if alias.is_protected { " (protected)" } else { "" })
    };
    aliases.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// A model with all its versions.
pub fn show(view: &RegistryView, model: &ModelView, page: &mut Page) {
    page.toned(Tone::Heading, &model.name);
    let aliases = aliases_text(&model.aliases);
    page.line(&format!("aliases  {}", if aliases.is_empty() { "none" } else { &aliases }));
    for version in model.versions.iter().rev() {
        page.blank();
        describe(view, version, page);
    }
}

/// A version: what it is, where it comes from, what was measured.
pub fn describe(view: &RegistryView, version: &VersionView, page: &mut Page) {
    let aliases = version.aliases.iter().map(|alias| format!(" @{alias}")).collect::<String>();
    page.toned(Tone::Heading, &format!("v{}{aliases}", version.version));
    let hash = short(&version.hash);
    page.line(&format!("  hash     {hash}…   {}", format::bytes(version.file_bytes)));
    page.line(&format!("  added    {} by {}", version.added, version.added_by));
    let name = Path::new(&version.source);
    page.line(&format!("  from     {}", crate::text::cut(&name.display().to_string(), page.width.saturating_sub(11))));
    let lineage = &version.lineage;
    if let Some(parent) = &lineage.parent_sha256 {
        page.line(&format!("  parent   {}", known_as(view, parent)));
    }
    if let Some(recipe) = &lineage.recipe {
        let first = recipe.lines().next().unwrap_or_default();
        page.line(&format!("  recipe   {}", crate::text::cut(first, page.width.saturating_sub(11))));
    }
    if let (Some(data), Some(hash)) = (&lineage.data, &lineage.data_sha256) {
        let line = format!("  data     {}…  {data}", short(hash));
        page.line(&crate::text::cut(&line, page.width));
    }
    for run in version.runs.iter().take(5) {
        page.line(&crate::text::cut(&format!("  {:<8} {}  {}", run.kind.name(), run.date, run.result()), page.width));
    }
}

/// `fraud v2`, where the content is one of the registry's.
fn known_as(view: &RegistryView, hash: &str) -> String {
    let known = view.models.iter().find_map(|model| {
        let version = model.versions.iter().find(|version| version.hash == hash)?;
        Some(format!("{} v{}", model.name, version.version))
    });
    known.unwrap_or_else(|| format!("{}… (not in the registry)", short(hash)))
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Moves of aliases, newest first.
pub fn history(moves: &[&AliasMove], page: &mut Page) {
    if moves.is_empty() {
        page.line("no alias has moved yet");
        return;
    }
    for step in moves {
        let version = |version: Option<u32>| version.map_or_else(|| "nothing".to_owned(), |version| format!("v{version}"));
        let way = format!("{} → {}", version(step.from_version), version(step.to_version));
        let what = format!("{}  {:<9} {} {way}", step.date, step.kind.name(), step.alias);
        if what.width() + step.who.width() + 2 <= page.width {
            page.line(&format!("{what}  {}", step.who));
        } else {
            page.line(&crate::text::cut(&what, page.width));
            page.toned(Tone::Faint, &format!("    {}", step.who));
        }
        if let Some(reason) = &step.reason {
            page.sentence(Tone::Faint, &format!("    {reason}"));
        }
    }
}

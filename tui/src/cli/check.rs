//! `drydock check`: the gate before shipping.

use std::path::Path;

use drydock_core::compare::check::{Budgets, CheckRequest, read_config};
use drydock_core::session::{Command, command_line};

use super::args::{CheckArgs, CommonArgs};
use super::output::{Output, say};
use super::runner::{Failure, Runner};
use super::{compare, report};

/// Read where it is in the current folder, unless another file is named.
const CONFIG: &str = "drydock.toml";

pub fn run(args: &CheckArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = request(args, common, output.quiet)?;
    let mut runner = Runner::new(common)?;
    runner.run(Command::Check(request.clone()))?;
    let Some(found) = runner.session.state().check.clone() else { return Err(Failure::Error("the check gave no report".to_owned())) };
    let document = found.document(command_line(&Command::Check(request), runner.session.state()));
    let is_printed = report::other_forms(&document, &args.report, args.force, output)?;
    if output.json {
        output.document(found.to_json());
    } else if !is_printed && !output.quiet {
        report::section(&mut output.page, &found.table());
        output.page.blank();
        for line in crate::text::wrapped(&found.headline(), output.page.width) {
            output.page.line(&line);
        }
    }
    if found.passes { Ok(()) } else { Err(Failure::Judgement) }
}

fn request(args: &CheckArgs, common: &CommonArgs, is_quiet: bool) -> Result<CheckRequest, Failure> {
    let (columns, bind) = compare::bound(&args.table)?;
    let mut request = CheckRequest {
        model: args.model.clone(),
        against: args.against.clone(),
        device: common.device,
        data: args.data.clone(),
        label: args.table.label.clone(),
        columns,
        bind,
        on_error: compare::on_error(&args.table),
        threads: common.threads.as_ref().map(|threads| usize::from(threads.most())),
        budgets: Budgets {
            max_size_bytes: args.max_size,
            max_p95: args.max_p95,
            max_memory_bytes: args.max_memory,
            min_agreement: args.min_agreement,
            min_metrics: args.min_metric.clone(),
            max_drops: args.max_drop.clone(),
            max_contract_changes: args.max_contract_changes,
        },
        batch: args.batch,
        is_strict: args.strict,
    };
    let config = args.config.as_deref().or_else(|| Some(Path::new(CONFIG)).filter(|path| path.is_file()));
    if let Some(config) = config {
        read_config(config, &mut request).map_err(|error| Failure::Error(error.to_string()))?;
        if !is_quiet {
            say(&format!("note: conditions of {}", config.display()));
        }
    }
    Ok(request)
}

//! `drydock diff`: what changed between two model files.

use drydock_core::compare::diff::DiffRequest;
use drydock_core::session::{Command, command_line};

use super::args::{CommonArgs, DiffArgs};
use super::output::{Output, object};
use super::report;
use super::runner::{Failure, Runner};
use crate::page::Tone;

pub fn run(args: &DiffArgs, output: &mut Output, common: &CommonArgs) -> Result<(), Failure> {
    let request = DiffRequest { a: args.a.clone(), b: args.b.clone() };
    let mut runner = Runner::new(common)?;
    runner.run(Command::Diff(request.clone()))?;
    let Some(found) = runner.session.state().diff.clone() else { return Err(Failure::Error("the comparison gave no report".to_owned())) };
    let document = found.document(command_line(&Command::Diff(request), runner.session.state()));
    if report::other_forms(&document, &args.report, args.force, output)? {
        return Ok(());
    }
    if output.json {
        output.document(object(&*found));
    } else if !output.quiet {
        output.page.toned(Tone::Heading, &found.headline());
        for line in &found.signature {
            output.page.sentence(Tone::Plain, line);
        }
        for table in [found.cost_table(), found.nodes_table(), found.weights_table()] {
            if !table.rows.is_empty() {
                report::section(&mut output.page, &table);
            }
        }
    }
    Ok(())
}

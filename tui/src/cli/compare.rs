//! `drydock compare`: versions on the same rows.

use drydock_core::compare::{CompareReport, CompareRequest, PairReport, Split};
use drydock_core::format;
use drydock_core::score::{OnError, parse_names};
use drydock_core::session::{Command, command_line};

use super::args::{CommonArgs, CompareArgs, OnErrorArg, TableArgs};
use super::output::{Output, say};
use super::report;
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};

/// Changed rows that are printed; files and JSON have them all.
const PRINTED_ROWS: usize = 10;

pub fn run(args: &CompareArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = request(args, common)?;
    let mut runner = Runner::new(common)?;
    runner.run(Command::Compare(request.clone()))?;
    let Some(found) = runner.session.state().comparison.clone() else { return Err(Failure::Error("the comparison gave no report".to_owned())) };
    let command = command_line(&Command::Compare(request), runner.session.state());
    let document = found.document(command);
    if report::other_forms(&document, &args.report, args.force, output)? {
        return Ok(());
    }
    if output.json {
        output.document(found.to_json());
        if runner.shows_progress() {
            say(&summary(&found));
        }
    } else if !output.quiet {
        for note in &found.notes {
            say(&format!("note: {note}"));
        }
        describe(&found, &mut output.page);
        if let Some(path) = &args.changed {
            output.page.blank();
            output.page.line(&format!("changed rows written to {}", path.display()));
        }
    }
    Ok(())
}

fn request(args: &CompareArgs, common: &CommonArgs) -> Result<CompareRequest, Failure> {
    let (columns, bind) = bound(&args.table)?;
    Ok(CompareRequest {
        versions: args.versions.clone(),
        device: common.device,
        data: args.data.clone(),
        label: args.table.label.clone(),
        columns,
        bind,
        on_error: on_error(&args.table),
        batch_rows: args.batch.map(usize::from),
        threads: common.threads.as_ref().map(|threads| usize::from(threads.most())),
        changed: args.changed.clone(),
        overwrite: args.force,
        max_changed: args.limit,
        time: args.time.clone(),
        window: args.window,
        split: args.split.map(|share| Split { share, column: args.split_by.clone() }),
        measures_latency: !args.no_latency,
    })
}

/// Columns by input, as they were written.
type Bound = (Option<Vec<String>>, Vec<(String, Vec<String>)>);

pub fn bound(args: &TableArgs) -> Result<Bound, Failure> {
    let names = |option: &str, text: &str| parse_names(text).map_err(|message| Failure::Error(format!("{option}: {message}")));
    let columns = args.columns.as_deref().map(|columns| names("--columns", columns)).transpose()?;
    let bind = args.bind.iter().map(|(input, columns)| Ok((input.clone(), names("--bind", columns)?))).collect::<Result<_, Failure>>()?;
    Ok((columns, bind))
}

pub fn on_error(args: &TableArgs) -> OnError {
    match args.on_error {
        OnErrorArg::Stop => OnError::Stop,
        OnErrorArg::Skip => OnError::Skip,
    }
}

/// Which rows change, a sentence for each rule.
fn explain(pair: &PairReport, page: &mut Page) {
    let Some(explanation) = &pair.explanation else { return };
    let value = |value: f64| if explanation.is_share { format::percent(value) } else { format::number(value) };
    page.heading(&format!("Which rows change ({}: {} over all)", explanation.of, value(explanation.overall)));
    for rule in &explanation.rules {
        let conditions = if rule.conditions.is_empty() { "all rows".to_owned() } else { rule.conditions.join(", ") };
        page.sentence(Tone::Plain, &format!("{} where {conditions} ({} of the rows)", value(rule.value), format::percent(rule.share_of_rows)));
    }
}

fn summary(report: &CompareReport) -> String {
    format!("{} compared in {}", format::counted(report.rows_compared, "row"), format::seconds(report.seconds))
}

fn describe(report: &CompareReport, page: &mut Page) {
    for pair in &report.pairs {
        if !page.lines.is_empty() {
            page.blank();
        }
        for line in crate::text::wrapped(&report.headline(pair), page.width) {
            page.toned(Tone::Heading, &line);
        }
        if !pair.metrics.is_empty() {
            report::section(page, &report.metrics_table(pair));
        }
        report::section(page, &report.agreement_table(pair));
        if !pair.agreement.transitions.is_empty() {
            report::section(page, &CompareReport::transitions_table(pair));
        }
        explain(pair, page);
        if !pair.changed.rows.is_empty() {
            let mut table = report.changed_table(pair);
            let n_rows = table.rows.len();
            table.rows.truncate(PRINTED_ROWS);
            table.columns.truncate(5);
            report::section(page, &table);
            if n_rows > PRINTED_ROWS {
                page.toned(Tone::Faint, &format!("  the first {PRINTED_ROWS} of {n_rows} kept; --changed FILE and --json have them all"));
            }
        }
    }
    for table in [report.windows_table(), report.split_table(), Some(report.versions_table())].into_iter().flatten() {
        report::section(page, &table);
    }
    page.blank();
    for method in &report.methods {
        page.paragraph(Tone::Faint, method);
    }
    page.blank();
    let rejected = if report.rows_rejected > 0 { format!(", {} left out", format::count(report.rows_rejected)) } else { String::new() };
    page.line(&format!("{}{rejected}", summary(report)));
}

//! `drydock profile`: how fast, how large, how much memory, where the time goes.

use std::io::Write as _;
use std::path::Path;

use drydock_core::data::{AtomicFile, write_error};
use drydock_core::format;
use drydock_core::profile::history::{self, Regression};
use drydock_core::profile::{Effort, FitTarget, ProfileReport, ProfileRequest};
use drydock_core::report::{Document, Verdict};
use drydock_core::session::Command;

use super::args::{CommonArgs, ProfileArgs};
use super::output::{Output, object, say};
use super::runner::{Failure, Runner};
use crate::page::{Page, Tone};
use crate::text::TextTable;

pub fn run(args: &ProfileArgs, common: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let request = request(args, common);
    let mut runner = Runner::new(common)?;
    // Not compiled here: the profile does that itself, and measures it.
    runner.look_at(&args.model, common)?;
    let line = drydock_core::session::command_line(&Command::Profile(request.clone()), runner.session.state());
    runner.run(Command::Profile(request))?;
    let state = runner.session.state();
    let Some(report) = &state.profile else { return Err(Failure::Error("the profile gave no report".to_owned())) };
    let regression = history::regression(&state.profile_history);
    let mut document = report.document(history::history_figure(&state.profile_history));
    document.provenance.command = line;
    for (path, text) in [(&args.html, Document::to_html as fn(&Document) -> String), (&args.md, Document::to_markdown)] {
        if let Some(path) = path {
            write(path, &text(&document))?;
        }
    }
    if output.json {
        let mut document = object(report);
        document.insert("regression".to_owned(), serde_json::to_value(&regression).unwrap_or_default());
        output.document(document);
    } else if !output.quiet {
        describe(report, regression.as_ref(), &mut output.page);
        for path in [&args.html, &args.md, &args.trace].into_iter().flatten() {
            say(&format!("written to {}", path.display()));
        }
    }
    Ok(())
}

fn request(args: &ProfileArgs, common: &CommonArgs) -> ProfileRequest {
    let fit = FitTarget { memory_bytes: args.fit_memory, threads: args.fit_threads.map(usize::from), slowdown: args.fit_slowdown };
    ProfileRequest {
        batches: args.batch.iter().copied().map(usize::from).collect(),
        threads: common.threads.iter().flat_map(|threads| threads.0.iter()).copied().map(usize::from).collect(),
        devices: args.devices.clone(),
        data: args.data.clone(),
        dims: args.dim.clone(),
        seed: args.seed,
        effort: match (args.quick, args.full) {
            (true, _) => Effort::Quick,
            (_, true) => Effort::Full,
            _ => Effort::Standard,
        },
        operators: args.operators,
        max_latency: args.max_latency,
        trace: args.trace.clone(),
        fit: (fit != FitTarget::default()).then_some(fit),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        let mut file = AtomicFile::create(path, true)?;
        file.write_all(text.as_bytes()).map_err(|error| write_error(path, &error))?;
        file.commit()
    };
    write().map_err(|error| Failure::Error(error.to_string()))
}

/// Operators that a page lists; `--json` and `--html` have more.
const MAX_OPERATORS: usize = 20;

/// What came out, for 80 columns.
fn describe(report: &ProfileReport, regression: Option<&Regression>, page: &mut Page) {
    page.heading(&format!("Profile of {}", report.model));
    page.fact("device", &format!("{} · {}", report.device, format::counted(report.threads as u64, "thread")));
    page.fact("machine", &format!("{} ({})", report.machine.describe(), report.machine.hash));
    page.fact("size", &report.size.sentence());
    for note in &report.notes {
        page.fact("", note);
    }
    page.heading("From file to answer");
    page.table(&TextTable::of_report(&report.way_table(), &[]));
    page.heading("Warm runs");
    let is_judged = report.max_latency_ms.is_some();
    let mut columns = vec!["batch", "threads", "p50", "p95", "p99", "σ", "rows/s", "runs"];
    columns.extend(report.has_devices().then_some("device"));
    columns.push(if is_judged { "budget" } else { "measured" });
    page.table(&TextTable::of_report(&report.runs_table(), &columns));
    page.sentence(Tone::Plain, &report.sweet_spot_sentence());
    if let Some((run, sentence)) = report.runs.iter().find_map(|run| Some((run, run.unstable_sentence()?))) {
        page.sentence(Tone::Bad, &format!("{}. {sentence}", run.name(report.has_devices())));
    }
    if let Some(regression) = regression {
        page.sentence(tone_of(regression.verdict), &regression.sentence());
    }
    page.heading("Memory");
    page.table(&TextTable::of_report(&report.memory_table(), &[]));
    operators(report, page);
    if let Some(fit) = &report.fit {
        page.heading("Will it fit?");
        page.table(&TextTable::of_report(&fit.table(), &[]));
        let (verdict, sentence) = fit.verdict();
        page.sentence(tone_of(verdict), &format!("{} {}: {sentence}", verdict.sign(), verdict.word()));
    }
}

fn tone_of(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail => Tone::Bad,
        Verdict::NotJudged => Tone::Plain,
    }
}

fn operators(report: &ProfileReport, page: &mut Page) {
    let (Some(by_operator), Some(mut steps)) = (report.by_operator_table(), report.slowest_operators_table()) else { return };
    page.heading("Time by operator");
    page.table(&TextTable::of_report(&by_operator, &[]));
    if let Some(figure) = report.roofline_figure() {
        page.sentence(Tone::Plain, &figure.title);
    }
    let n_more = steps.rows.len().saturating_sub(MAX_OPERATORS);
    steps.rows.truncate(MAX_OPERATORS);
    page.heading("Slowest operators");
    page.table(&TextTable::of_report(&steps, &["#", "operator", "node", "time", "share", "bound", "GFLOP/s", "GB/s", "runs on"]));
    if n_more > 0 {
        page.toned(Tone::Faint, &format!("  and {} more (--json and --html list them)", format::count(n_more as u64)));
    }
}

//! What became of a model's speed: over its versions, and over the profiles of one of them.

use super::ProfileSummary;
use super::history::history_figure;
use crate::format;
use crate::registry::{ModelView, RunKind, VersionView};
use crate::report::{Axis, Figure, Series};

/// The figures that the registry's records allow.
pub fn figures(model: &ModelView, version: &VersionView) -> Vec<Figure> {
    over_versions(model).into_iter().chain(history_figure(&profiles(version))).collect()
}

/// A version's profiles, from old to new.
fn profiles(version: &VersionView) -> Vec<ProfileSummary> {
    let runs = version.runs.iter().rev().filter(|run| run.kind == RunKind::Profile);
    runs.filter_map(|run| serde_json::from_value(run.summary.clone()).ok()).collect()
}

/// The latest profile of each version, as far as they were measured alike; `None` where fewer than two were.
fn over_versions(model: &ModelView) -> Option<Figure> {
    let key = |profile: &ProfileSummary| (profile.machine.clone(), profile.device.clone(), profile.threads, profile.batch);
    let all: Vec<(u32, Vec<ProfileSummary>)> = model.versions.iter().map(|version| (version.version, profiles(version))).collect();
    let latest = all.iter().flat_map(|(_, profiles)| profiles).max_by(|a, b| a.date.cmp(&b.date))?;
    let like_latest = |profiles: &[ProfileSummary]| profiles.iter().rev().find(|profile| key(profile) == key(latest)).cloned();
    let measured: Vec<(u32, ProfileSummary)> = all.iter().filter_map(|(version, profiles)| Some((*version, like_latest(profiles)?))).collect();
    let [.., (before, old), (now, new)] = measured.as_slice() else { return None };
    let change = if old.p50_ms > 0.0 { new.p50_ms / old.p50_ms - 1.0 } else { 0.0 };
    let way = if change > 0.0 { "slower" } else { "faster" };
    let reserve = if old.stable && new.stable { "" } else { ", but a measurement was not stable" };
    let title = format!(
        "v{now} answers in {}, {} {way} than v{before}{reserve}",
        format::seconds(new.p50_ms / 1e3),
        format::percent((change.abs() * 1000.0).round() / 1000.0)
    );
    let points: Vec<(f64, f64)> = measured.iter().map(|(version, profile)| (f64::from(*version), profile.p50_ms)).collect();
    let ends = points.first().zip(points.last()).map_or((0.0, 1.0), |(first, last)| (first.0, last.0));
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let y = Axis::new("p50", Some("ms"), (0.0, highest * 1.05));
    let label =
        |(version, profile): &(u32, ProfileSummary)| format!("v{version}, {}{}", profile.date, if profile.stable { "" } else { " (not stable)" });
    let labels = measured.iter().map(label).collect();
    Some(Figure::of(title, Axis::new("version", None, ends), y, Series::line("p50", points).labelled(labels)))
}

#[cfg(test)]
mod tests {
    use crate::registry::{Lineage, RecordedMachine, RunView};

    use super::*;

    fn version(version: u32, profiles: &[(&str, &str, f64)]) -> VersionView {
        let run = |(date, machine, p50_ms): &(&str, &str, f64)| RunView {
            kind: RunKind::Profile,
            date: (*date).to_owned(),
            machine: RecordedMachine { id: (*machine).to_owned(), description: String::new() },
            summary: serde_json::json!({
                "date": date, "machine": machine, "device": "CPU", "threads": 2, "batch": 1, "stable": true, "p50_ms": p50_ms, "p95_ms": null,
                "rows_per_second": 1.0, "load_ms": 1.0, "peak_memory_bytes": null, "file_bytes": 1,
            }),
        };
        VersionView {
            version,
            hash: String::new(),
            aliases: Vec::new(),
            contract_hash: None,
            file_bytes: 1,
            added: String::new(),
            added_by: String::new(),
            source: String::new(),
            lineage: Lineage::default(),
            machine: RecordedMachine { id: String::new(), description: String::new() },
            // As the registry has them: the newest first.
            runs: profiles.iter().rev().map(run).collect(),
        }
    }

    fn model(versions: Vec<VersionView>) -> ModelView {
        ModelView { name: "m".to_owned(), versions, aliases: Vec::new(), history: Vec::new() }
    }

    #[test]
    fn versions_are_compared_where_they_were_measured_alike() {
        let one = version(1, &[("2026-01-01", "here", 9.0), ("2026-01-02", "here", 2.0)]);
        let elsewhere = version(2, &[("2026-01-03", "there", 50.0)]);
        let three = version(3, &[("2026-01-04", "here", 3.0)]);
        let model = model(vec![one.clone(), elsewhere.clone(), three]);
        let figure = over_versions(&model).unwrap();
        assert_eq!(figure.series[0].points, [(1.0, 2.0), (3.0, 3.0)]);
        assert_eq!(figure.title, "v3 answers in 3 ms, 50 % slower than v1");
        // Of the first version there are two profiles, so there is its own history too; of the second only one.
        assert_eq!((figures(&model, &one).len(), figures(&model, &elsewhere).len()), (2, 1));
    }

    #[test]
    fn what_did_not_settle_is_no_verdict() {
        let (one, mut two) = (version(1, &[("2026-01-01", "here", 2.0)]), version(2, &[("2026-01-02", "here", 3.0)]));
        two.runs[0].summary["stable"] = false.into();
        let figure = over_versions(&model(vec![one, two])).unwrap();
        assert_eq!(figure.title, "v2 answers in 3 ms, 50 % slower than v1, but a measurement was not stable");
        assert!(figure.series[0].labels[1].ends_with("(not stable)"), "{:?}", figure.series[0].labels);
    }

    #[test]
    fn one_measured_version_is_no_history() {
        let one = version(1, &[("2026-01-01", "here", 9.0)]);
        assert!(figures(&model(vec![one.clone(), version(2, &[])]), &one).is_empty());
    }
}

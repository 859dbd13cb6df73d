//! `drydock.toml`: the conditions of a gate, beside the code that they guard. Paths are relative to the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::CompareError;
use super::{Budgets, CheckRequest};
use crate::budget;
use crate::score::Metric;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    check: Option<Check>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Check {
    against: Option<PathBuf>,
    data: Option<PathBuf>,
    label: Option<String>,
    max_size: Option<String>,
    max_p95: Option<String>,
    batch: Option<usize>,
    max_memory: Option<String>,
    min_agreement: Option<f64>,
    min_metric: BTreeMap<String, f64>,
    max_drop: BTreeMap<String, f64>,
    max_contract_changes: Option<u64>,
    strict: Option<bool>,
}

/// Reads a file into a request, where the request says nothing itself.
pub fn read_config(path: &Path, request: &mut CheckRequest) -> Result<(), CompareError> {
    let wrong = |message: String| CompareError::Unfit(format!("{}: {message}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(crate::format::file_problem(&error)))?;
    let file: File = toml::from_str(&text).map_err(|error| {
        let line = error.span().and_then(|span| text.get(..span.start)).map(|before| format!("line {}: ", before.matches('\n').count() + 1));
        wrong(format!("{}{}", line.unwrap_or_default(), error.message().replace('\n', " ")))
    })?;
    let Some(check) = file.check else { return Ok(()) };
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let in_folder = |path: PathBuf| folder.join(path);
    // A name of the registry is no path.
    let version = |path: PathBuf| if folder.join(&path).exists() || path.components().count() > 1 { folder.join(path) } else { path };
    request.against = request.against.take().or(check.against.map(version));
    request.data = request.data.take().or(check.data.map(in_folder));
    request.label = request.label.take().or(check.label);
    request.is_strict |= check.strict.unwrap_or(false);
    let named = |key: &str, message: String| wrong(format!("[check] {key}: {message}"));
    if let Some(batch) = check.batch {
        if batch == 0 {
            return Err(named("batch", "expected a whole number, at least 1".to_owned()));
        }
        if request.batch == CheckRequest::default().batch {
            request.batch = batch;
        }
    }
    if let Some(share) = check.min_agreement.filter(|share| !(0.0..=1.0).contains(share)) {
        return Err(named("min_agreement", format!("expected a share between 0 and 1, such as 0.99, found {share}")));
    }
    let Budgets { max_size_bytes, max_p95, max_memory_bytes, min_agreement, min_metrics, max_drops, max_contract_changes } = &mut request.budgets;
    if let (None, Some(text)) = (&max_size_bytes, &check.max_size) {
        *max_size_bytes = Some(budget::parse_bytes(text).map_err(|message| named("max_size", message))?);
    }
    if let (None, Some(text)) = (&max_p95, &check.max_p95) {
        *max_p95 = Some(budget::parse_duration(text).map_err(|message| named("max_p95", message))?);
    }
    if let (None, Some(text)) = (&max_memory_bytes, &check.max_memory) {
        *max_memory_bytes = Some(budget::parse_bytes(text).map_err(|message| named("max_memory", message))?);
    }
    *min_agreement = min_agreement.or(check.min_agreement);
    *max_contract_changes = max_contract_changes.or(check.max_contract_changes);
    for (limits, written, key) in [(min_metrics, check.min_metric, "min_metric"), (max_drops, check.max_drop, "max_drop")] {
        for (name, limit) in written {
            let metric: Metric = name.parse().map_err(|message| named(key, message))?;
            if !limits.iter().any(|(known, _)| *known == metric) {
                limits.push((metric, limit));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CheckRequest, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drydock.toml");
        std::fs::write(&path, text).unwrap();
        let mut request = CheckRequest { label: Some("y".to_owned()), ..CheckRequest::default() };
        read_config(&path, &mut request).map(|()| request).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_are_read_and_the_command_line_wins() {
        let text =
            "[check]\nlabel = \"z\"\ndata = \"new.csv\"\nmax_size = \"10MB\"\nmax_p95 = \"5ms\"\nmin_metric = { accuracy = 0.9 }\nstrict = true\n";
        let request = read(text).unwrap();
        assert_eq!(request.label.as_deref(), Some("y"));
        assert!(request.data.unwrap().ends_with("new.csv") && request.is_strict);
        assert_eq!(request.budgets.max_size_bytes, Some(10_000_000));
        assert_eq!(request.budgets.max_p95, Some(std::time::Duration::from_millis(5)));
        assert_eq!(request.budgets.min_metrics, [(Metric::Accuracy, 0.9)]);
    }

    #[test]
    fn a_name_of_the_registry_is_no_path() {
        let against = |written: &str| read(&format!("[check]\nagainst = \"{written}\"")).unwrap().against.unwrap();
        assert_eq!(against("fraud@production"), PathBuf::from("fraud@production"));
        assert!(against("models/v1.onnx").is_absolute());
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(read("[check]\nmax_siez = \"1MB\"").is_err_and(|message| message.contains("max_siez")));
        assert!(read("[check]\nmax_size = \"big\"").is_err_and(|message| message.contains("max_size: expected a size")));
        assert!(read("[check]\nmin_agreement = 99").is_err_and(|message| message.contains("min_agreement: expected a share")));
        assert!(read("[check]\nbatch = 0").is_err_and(|message| message.contains("batch: expected a whole number")));
        assert!(read("[check]\nmax_size = \"1MB\"\n[check").is_err_and(|message| message.contains("line 3: ")));
        assert!(read("[check.min_metric]\nacuracy = 1").is_err_and(|message| message.contains("did you mean 'accuracy'")));
    }
}

//! "Copy as command": the command line that does what a face was just told to do.

use std::path::Path;

use super::{Command, State};
use crate::predict::{PredictRequest, Row};
use crate::score::{Keep, OnError, ScoreRequest};
use crate::tensor::device::DeviceChoice;
use crate::verify::VerifyRequest;

impl Command {
    /// The `drydock` command with the same effect, quoted for a POSIX shell. `None` for what only makes sense on a screen,
    /// or needs a model while none is open.
    pub fn command_line(&self, state: &State) -> Option<String> {
        let model = state.opened.as_ref().map(|opened| opened.model.as_ref());
        let mut line = Line::default();
        match self {
            Self::OpenModel { path, device } => {
                line.word("inspect").path(path).device(*device);
            }
            Self::Predict(request) => {
                let model = model?;
                line.word("predict").path(&model.path);
                line.predict(request)?;
                line.model_device(model.device.is_cpu());
            }
            Self::Score(request) => {
                let model = model?;
                line.word("score").path(&model.path).path(&request.data);
                line.score(request);
                line.model_device(model.device.is_cpu());
            }
            Self::Verify(request) => line.verify(request),
            Self::CloseModel | Self::DescribeTable(_) | Self::WhatIf(_) | Self::Cancel(_) => return None,
        }
        Some(line.0)
    }
}

/// A command line being written.
struct Line(String);

impl Default for Line {
    fn default() -> Self {
        Self("drydock".to_owned())
    }
}

impl Line {
    fn word(&mut self, word: &str) -> &mut Self {
        self.0.push(' ');
        self.0.push_str(&quoted(word));
        self
    }

    fn path(&mut self, path: &Path) -> &mut Self {
        self.word(&path.to_string_lossy())
    }

    fn option(&mut self, name: &str, value: &str) -> &mut Self {
        self.word(name).word(value)
    }

    fn device(&mut self, device: DeviceChoice) {
        if device != DeviceChoice::Cpu {
            self.option("--device", &device.to_string());
        }
    }

    fn model_device(&mut self, is_cpu: bool) {
        if !is_cpu {
            self.device(DeviceChoice::Gpu(None));
        }
    }

    /// `None` for several rows: no face lets a person type them.
    fn predict(&mut self, request: &PredictRequest) -> Option<()> {
        match request {
            PredictRequest::Rows(rows) => {
                let [Row(cells)] = rows.as_slice() else { return None };
                for (column, text) in cells.iter().filter(|(_, text)| !text.is_empty()) {
                    self.option("--set", &format!("{column}={text}"));
                }
            }
            PredictRequest::Image(path) => {
                self.option("--image", &path.to_string_lossy());
            }
        }
        Some(())
    }

    fn score(&mut self, request: &ScoreRequest) {
        self.option("-o", &request.output.to_string_lossy());
        if let Some(label) = &request.label {
            self.option("--label", label);
        }
        if let Some(columns) = &request.columns {
            self.option("--columns", &columns.join(","));
        }
        for (input, columns) in &request.bind {
            self.option("--bind", &format!("{input}={}", columns.join(",")));
        }
        match &request.keep {
            Keep::All => {}
            Keep::None => {
                self.option("--keep", "none");
            }
            Keep::Columns(columns) => {
                self.option("--keep", &columns.join(","));
            }
        }
        if request.on_error == OnError::Skip {
            self.option("--on-error", "skip");
        }
        if let Some(rows) = request.batch_rows {
            self.option("--batch", &rows.to_string());
        }
        if let Some(threads) = request.threads {
            self.option("--threads", &threads.to_string());
        }
        if request.overwrite {
            self.word("--force");
        }
    }

    fn verify(&mut self, request: &VerifyRequest) {
        self.word("verify");
        for folder in &request.folders {
            self.path(folder);
        }
        let defaults = VerifyRequest::default();
        if request.relative_tolerance.to_bits() != defaults.relative_tolerance.to_bits() {
            self.option("--rtol", &request.relative_tolerance.to_string());
        }
        if request.absolute_tolerance.to_bits() != defaults.absolute_tolerance.to_bits() {
            self.option("--atol", &request.absolute_tolerance.to_string());
        }
        self.device(request.device);
    }
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./=:,@%+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[track_caller]
    fn check(command: &Command, expected: Option<&str>) {
        assert_eq!(command.command_line(&State::default()).as_deref(), expected);
    }

    #[test]
    fn opening_and_verifying_are_command_lines() {
        let open = |device| Command::OpenModel { path: PathBuf::from("my models/a.onnx"), device };
        check(&open(DeviceChoice::Cpu), Some("drydock inspect 'my models/a.onnx'"));
        check(&open(DeviceChoice::Gpu(Some(1))), Some("drydock inspect 'my models/a.onnx' --device gpu:1"));
        let request = VerifyRequest { folders: vec![PathBuf::from("cases")], absolute_tolerance: 1e-6, ..VerifyRequest::default() };
        check(&Command::Verify(request), Some("drydock verify cases --atol 0.000001"));
    }

    #[test]
    fn without_a_model_there_is_nothing_to_score_with() {
        check(&Command::Score(ScoreRequest::default()), None);
        check(&Command::CloseModel, None);
    }

    #[test]
    fn a_row_becomes_settings_and_empty_cells_stay_out() {
        let row = Row([("age", "41"), ("name", "it's"), ("sex", "")].map(|(column, text)| (column.to_owned(), text.to_owned())).into());
        let mut line = Line::default();
        assert_eq!(line.predict(&PredictRequest::Rows(vec![row])), Some(()));
        assert_eq!(line.0, "drydock --set age=41 --set 'name=it'\\''s'");
    }

    #[test]
    fn only_what_differs_from_the_defaults_of_scoring_is_written() {
        let mut line = Line::default();
        line.score(&ScoreRequest {
            output: PathBuf::from("out.csv"),
            keep: Keep::Columns(vec!["id".to_owned(), "day".to_owned()]),
            on_error: OnError::Skip,
            overwrite: true,
            ..ScoreRequest::default()
        });
        assert_eq!(line.0, "drydock -o out.csv --keep id,day --on-error skip --force");
    }
}

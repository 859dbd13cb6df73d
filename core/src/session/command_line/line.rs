//! A shell line in the making.

use std::fmt::{Display, Write as _};
use std::path::Path;

use crate::score::{OnError, names_text};
use crate::tensor::device::DeviceChoice;

/// `drydock …`, a word at a time.
pub(super) struct Line(String);

impl Line {
    /// Begins with a sub-command.
    pub(super) fn new(command: &str) -> Self {
        Self(format!("drydock {command}"))
    }

    pub(super) fn word(mut self, word: &str) -> Self {
        let _ = write!(self.0, " {}", quoted(word));
        self
    }

    pub(super) fn path(mut self, path: &Path) -> Self {
        let _ = write!(self.0, " {}", quoted_path(path));
        self
    }

    pub(super) fn option(self, name: &str, value: impl Display) -> Self {
        let line = self.flag(name, true);
        line.word(&value.to_string())
    }

    /// The option, where there is a value.
    pub(super) fn given(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.option(name, value),
            None => self,
        }
    }

    /// The option, where the value is not what holds anyway.
    pub(super) fn unlike<T: Display + PartialEq>(self, name: &str, value: &T, default: &T) -> Self {
        self.given(name, (value != default).then_some(value))
    }

    /// The option once for each value.
    pub(super) fn each(self, name: &str, values: impl IntoIterator<Item = impl Display>) -> Self {
        values.into_iter().fold(self, |line, value| line.option(name, value))
    }

    pub(super) fn path_option<P: AsRef<Path>>(self, name: &str, path: Option<P>) -> Self {
        match path {
            Some(path) => self.flag(name, true).path(path.as_ref()),
            None => self,
        }
    }

    pub(super) fn flag(mut self, name: &str, is_set: bool) -> Self {
        if is_set {
            let _ = write!(self.0, " {name}");
        }
        self
    }

    /// How a table feeds a model: what all commands that read one have in common.
    pub(super) fn binding(self, label: Option<&str>, columns: Option<&[String]>, bind: &[(String, Vec<String>)], on_error: OnError) -> Self {
        self.given("--label", label)
            .given("--columns", columns.map(names_text))
            .each("--bind", bind.iter().map(|(input, columns)| format!("{input}={}", names_text(columns))))
            .given("--on-error", (on_error == OnError::Skip).then_some("skip"))
    }

    /// Ends with the device, where it is not the usual one.
    pub(super) fn on(self, device: DeviceChoice) -> String {
        self.unlike("--device", &device, &DeviceChoice::default()).end()
    }

    pub(super) fn end(self) -> String {
        self.0
    }
}

fn quoted_path(path: &Path) -> String {
    let text = path.display().to_string();
    // A path that begins like an option is no option.
    if text.starts_with('-') { quoted(&format!("./{text}")) } else { quoted(&text) }
}

/// A word as a POSIX shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_safe_for_a_shell() {
        for (word, expected) in [("a=1", "a=1"), ("it's", r"'it'\''s'"), ("", "''"), ("$HOME", "'$HOME'"), ("größe=3", "größe=3")] {
            assert_eq!(quoted(word), expected);
        }
    }
}

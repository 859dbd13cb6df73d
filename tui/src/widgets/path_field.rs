//! Typing a path: completion like a shell's.

use std::path::{Path, PathBuf};

use super::text_field::TextField;

/// What a path should lead to: decides which files completion offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Model,
    Table,
    Picture,
    Folder,
    Any,
}

impl Wanted {
    fn accepts(self, path: &Path) -> bool {
        let has_extension =
            |known: &[&str]| path.extension().is_some_and(|extension| known.iter().any(|known| extension.eq_ignore_ascii_case(known)));
        match self {
            Self::Model => has_extension(&["onnx"]),
            Self::Table => drydock_core::data::is_table_path(path),
            Self::Picture => has_extension(&["png", "jpg", "jpeg"]),
            Self::Folder => false,
            Self::Any => true,
        }
    }
}

/// What one press of the completion key found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// Names that still fit, when there are several.
    pub candidates: Vec<String>,
}

/// Folders with more entries than this are completed from the first so many.
const MAX_ENTRIES: usize = 20_000;

/// Extends what was typed as far as it is certain, and lists what remains to choose from.
pub fn complete(field: &mut TextField, wanted: Wanted) -> Completion {
    let typed = field.text().to_owned();
    let (folder_text, stem) = match typed.rfind('/') {
        Some(slash) => typed.split_at(slash + 1),
        None => ("", typed.as_str()),
    };
    let folder = if folder_text.is_empty() { PathBuf::from(".") } else { expand_home(folder_text) };
    let mut names = matching_names(&folder, stem, wanted);
    names.sort();
    let Some(first) = names.first() else { return Completion::default() };
    let common = names.iter().skip(1).fold(first.as_str(), |common, name| common_prefix(common, name));
    if common.len() > stem.len() {
        field.set(&format!("{folder_text}{common}"));
    }
    Completion { candidates: if names.len() > 1 { names } else { Vec::new() } }
}

/// Completes the last of several paths with commas between them.
pub fn complete_last(field: &mut TextField, wanted: Wanted) -> Completion {
    let typed = field.text().to_owned();
    let start = typed.rfind(',').map_or(0, |comma| comma + 1);
    let last = typed.get(start..).unwrap_or_default().trim_start();
    let head = typed.get(..typed.len() - last.len()).unwrap_or_default();
    let mut alone = TextField::new(last);
    let completion = complete(&mut alone, wanted);
    field.set(&format!("{head}{}", alone.text()));
    completion
}

/// `~/…` as the shell would read it.
pub fn expand_home(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(text),
    }
}

fn matching_names(folder: &Path, stem: &str, wanted: Wanted) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names = Vec::new();
    for entry in entries.take(MAX_ENTRIES).flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.starts_with(stem) || (name.starts_with('.') && !stem.starts_with('.')) {
            continue;
        }
        // Follows links, so that a link to a folder is a folder.
        if entry.path().is_dir() {
            names.push(format!("{name}/"));
        } else if wanted.accepts(&entry.path()) {
            names.push(name);
        }
    }
    names
}

fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let length = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    a.get(..length).unwrap_or_default()
}

//! Options of a score as people write them, on the command line and in forms: one reading, and one judgement of what can't stand.
//!
//! A list of columns is separated by commas; a name that holds a comma or a quote stands in double quotes, with its quotes doubled.

use std::fmt;

use super::{Keep, ScoreRequest};
use crate::contract::{did_you_mean, names};
use crate::data::TableInfo;
use crate::model::OpenModel;

/// An option that is written as text. Empty text is its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreOption {
    Label,
    Columns,
    Bind,
    Keep,
    Batch,
}

impl ScoreOption {
    /// One word, as the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Columns => "columns",
            Self::Bind => "bind",
            Self::Keep => "keep",
            Self::Batch => "batch",
        }
    }

    /// What holds while nothing is written.
    pub fn default_meaning(self) -> &'static str {
        match self {
            Self::Label => "the contract's target, where the table has it",
            Self::Columns => "as the contract says, or by name",
            Self::Bind => "every input by the contract or by name",
            Self::Keep => "all columns",
            Self::Batch => "chosen for the model",
        }
    }

    /// How it is written.
    pub fn example(self) -> &'static str {
        match self {
            Self::Label => "is_fraud",
            Self::Columns => "age, income, \"a, b\"",
            Self::Bind => "numbers=age, income; words=city",
            Self::Keep => "all, none, or id, age",
            Self::Batch => "1000",
        }
    }

    /// Reads what was written into a request.
    pub fn set(self, request: &mut ScoreRequest, text: &str) -> Result<(), String> {
        let text = text.trim();
        let is_default = text.is_empty();
        match self {
            Self::Label => request.label = (!is_default).then(|| text.to_owned()),
            Self::Columns => request.columns = if is_default { None } else { Some(parse_names(text)?) },
            Self::Bind => request.bind = if is_default { Vec::new() } else { parse_bind(text)? },
            Self::Keep => request.keep = if is_default { Keep::All } else { text.parse()? },
            Self::Batch => request.batch_rows = if is_default { None } else { Some(parse_batch(text)?) },
        }
        Ok(())
    }

    /// Why what was written can't stand, as far as model and table are known.
    pub fn problem(self, text: &str, model: Option<&OpenModel>, table: Option<&TableInfo>) -> Option<String> {
        let mut request = ScoreRequest::default();
        if let Err(message) = self.set(&mut request, text) {
            return Some(message);
        }
        let kept = if let Keep::Columns(columns) = &request.keep { columns.as_slice() } else { &[] };
        let bound = request.bind.iter().flat_map(|(_, columns)| columns);
        let mut written = request.label.iter().chain(request.columns.iter().flatten()).chain(kept).chain(bound);
        let unknown = table.and_then(|table| {
            let known = || table.columns.iter().map(|column| column.name.as_str());
            let missing = written.find(|name| !known().any(|known| known == name.as_str()))?;
            Some(format!("there is no column '{missing}'{}", did_you_mean(missing, known())))
        });
        unknown.or_else(|| input_problem(&request, model?))
    }
}

/// Whether the inputs that a request speaks of are the model's.
fn input_problem(request: &ScoreRequest, model: &OpenModel) -> Option<String> {
    let graph = &model.model.graph;
    let inputs: Vec<&str> = graph.inputs.iter().map(|id| graph.value(*id).name.as_str()).collect();
    let n_required = graph.required_inputs().count();
    if request.columns.is_some() && n_required != 1 {
        return Some(format!("for a model with one input, but this one has {n_required}; use bind"));
    }
    let (unknown, _) = request.bind.iter().find(|(input, _)| !inputs.contains(&input.as_str()))?;
    let hint = did_you_mean(unknown, inputs.iter().copied());
    Some(format!("the model has no input '{unknown}'{hint}; its inputs are {}", names(inputs.into_iter())))
}

fn parse_batch(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|rows| *rows > 0);
    number.ok_or_else(|| format!("expected a whole number of rows, at least 1, found '{text}'"))
}

/// `numbers=a,b; words=c`.
fn parse_bind(text: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let parts = split_outside_quotes(text, ';');
    let read = |part: &str| match part.split_once('=') {
        Some((input, columns)) if !input.trim().is_empty() => Ok((input.trim().to_owned(), parse_names(columns.trim())?)),
        _ => Err(format!("expected input=column,column, found '{part}'")),
    };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(read).collect()
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_quoted) = (0, false);
    for (at, c) in text.char_indices() {
        if c == '"' {
            is_quoted = !is_quoted;
        } else if c == separator && !is_quoted {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + c.len_utf8();
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Splits `a,"b,c",d`. Names keep inner spaces.
pub fn parse_names(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    loop {
        let (name, after) = if let Some(quoted) = rest.strip_prefix('"') { quoted_name(quoted, text)? } else { plain_name(rest) };
        if name.is_empty() {
            return Err(format!("'{text}': a column name is empty"));
        }
        names.push(name);
        match after {
            Some(after) => rest = after.trim_start(),
            None => return Ok(names),
        }
    }
}

fn plain_name(text: &str) -> (String, Option<&str>) {
    match text.split_once(',') {
        Some((name, after)) => (name.trim().to_owned(), Some(after)),
        None => (text.trim().to_owned(), None),
    }
}

fn quoted_name<'a>(quoted: &'a str, whole: &str) -> Result<(String, Option<&'a str>), String> {
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let Some((part, after)) = rest.split_once('"') else { return Err(format!("'{whole}': a quote is not closed")) };
        name.push_str(part);
        if let Some(doubled) = after.strip_prefix('"') {
            name.push('"');
            rest = doubled;
            continue;
        }
        let after = after.trim_start();
        return match after.strip_prefix(',') {
            Some(after) => Ok((name, Some(after))),
            None if after.is_empty() => Ok((name, None)),
            None => Err(format!("'{whole}': expected a comma after the closing quote")),
        };
    }
}

/// Names as [`parse_names`] reads them.
pub fn names_text(names: &[String]) -> String {
    let has_to_be_quoted = |name: &str| name.contains([',', '"', ';']) || name.trim() != name;
    let quote = |name: &String| if has_to_be_quoted(name) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.clone() };
    names.iter().map(quote).collect::<Vec<_>>().join(",")
}

impl std::str::FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            columns => Ok(Self::Columns(parse_names(columns)?)),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::None => f.write_str("none"),
            Self::Columns(columns) => f.write_str(&names_text(columns)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_read_as_they_are_written() {
        for names in [vec!["a"], vec!["a", "b c", "d"], vec!["a,b", "say \"hi\"", " padded", "x;y"]] {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert_eq!(parse_names(&names_text(&names)).as_ref(), Ok(&names));
        }
        assert_eq!(parse_names(" a , \"b,c\" , d"), Ok(["a", "b,c", "d"].map(str::to_owned).to_vec()));
        for (text, why) in [("", "empty"), ("a,,b", "empty"), ("a,", "empty"), ("\"a", "not closed"), ("\"a\"b", "comma")] {
            assert!(parse_names(text).is_err_and(|message| message.contains(why)), "{text}");
        }
    }

    #[test]
    fn text_becomes_a_request_and_empty_text_its_default() {
        let mut request = ScoreRequest::default();
        for (option, text) in [
            (ScoreOption::Label, " y "),
            (ScoreOption::Columns, "a, b"),
            (ScoreOption::Bind, "n=a,\"b;c\"; w = d ;"),
            (ScoreOption::Keep, "id"),
            (ScoreOption::Batch, "500"),
        ] {
            option.set(&mut request, text).unwrap();
        }
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let expected = ScoreRequest {
            label: Some("y".to_owned()),
            columns: Some(list(&["a", "b"])),
            bind: vec![("n".to_owned(), list(&["a", "b;c"])), ("w".to_owned(), list(&["d"]))],
            keep: Keep::Columns(list(&["id"])),
            batch_rows: Some(500),
            ..ScoreRequest::default()
        };
        assert_eq!(request, expected);
        for option in [ScoreOption::Label, ScoreOption::Columns, ScoreOption::Bind, ScoreOption::Keep, ScoreOption::Batch] {
            option.set(&mut request, "  ").unwrap();
        }
        assert_eq!(request, ScoreRequest::default());
    }

    #[test]
    fn what_cannot_stand_is_said_without_model_and_table() {
        for (option, text, why) in [
            (ScoreOption::Batch, "0", "at least 1"),
            (ScoreOption::Batch, "many", "found 'many'"),
            (ScoreOption::Bind, "a,b", "expected input=column"),
            (ScoreOption::Bind, "=a", "expected input=column"),
            (ScoreOption::Keep, "a,,b", "empty"),
            (ScoreOption::Columns, "\"a", "not closed"),
        ] {
            assert!(option.problem(text, None, None).is_some_and(|message| message.contains(why)), "{text}");
            assert_eq!(option.problem("", None, None), None);
        }
    }
}

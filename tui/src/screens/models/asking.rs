//! What the Models screen asks for before an act, field by field, and the act that comes of the answers. The first field is what the act
//! can't do without; the others are its options, as the command line has them.

use std::path::PathBuf;

use drydock_core::package::{PackageRequest, is_package};
use drydock_core::session::{LineageRequest, RegistryCommand};

use crate::widgets::path_field::{Wanted, expand_home};
use crate::widgets::text_field::TextField;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Open a model, by its path or by a name of the registry.
    Path,
    /// Add the opened model to the registry.
    Add {
        model: PathBuf,
    },
    /// Point an alias at a version; with `-` before it, take the alias away.
    Alias {
        name: String,
        version: u32,
    },
    Promote {
        name: String,
        version: u32,
    },
    RollBack {
        name: String,
    },
    /// Protect an alias, or no longer.
    Protect {
        name: String,
        protected: Vec<String>,
    },
    /// Pack the opened model into a file.
    Package,
    /// Remove a version: its name has to be typed.
    Remove {
        name: String,
        version: u32,
    },
}

/// A field of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    /// What is expected, in a line.
    pub about: String,
    pub text: TextField,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Path(Wanted),
    /// `yes` or `no`.
    Choice,
}

/// A question that stands on the screen, with what is typed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub question: Question,
    pub fields: Vec<Field>,
    pub selected: usize,
}

/// What the answers ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Open(PathBuf),
    Registry(RegistryCommand),
    Package(PackageRequest),
}

/// Why the answers ask for nothing yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub field: usize,
    pub text: String,
}

const YES: &str = "yes";
const NO: &str = "no";

impl Field {
    fn new(name: &'static str, kind: Kind, about: impl Into<String>) -> Self {
        Self { name, about: about.into(), text: TextField::new(if kind == Kind::Choice { NO } else { "" }), kind }
    }

    /// The other of two choices.
    pub fn toggle(&mut self) {
        self.text.set(if self.is_yes() { NO } else { YES });
    }

    fn is_yes(&self) -> bool {
        self.text.text() == YES
    }
}

impl Question {
    fn fields(&self) -> Vec<Field> {
        let text = |name, about: &str| Field::new(name, Kind::Text, about);
        let path = |name, wanted, about: &str| Field::new(name, Kind::Path(wanted), about);
        let choice = |name, about: &str| Field::new(name, Kind::Choice, about);
        let reason = || text("reason", "why, for the history; may stay empty");
        match self {
            Self::Path => vec![path("open", Wanted::Model, "a path, or a name of the registry: name, name:version, name@alias")],
            Self::Add { model } => vec![
                text("name", &format!("the name to add {} under", model.display())),
                path("parent", Wanted::Model, "what it was made from: a path, a name of the registry, or a hash; may stay empty"),
                path("recipe", Wanted::Any, "a file that says how it was made; its text is kept; may stay empty"),
                path("data", Wanted::Any, "the data that it was trained on; their hash is kept; may stay empty"),
            ],
            Self::Alias { name, version } => {
                vec![text("alias", &format!("an alias for {name} v{version}, such as champion; -champion takes it away")), reason()]
            }
            Self::Promote { name, version } => {
                let about = format!("the alias that {name} v{version} is promoted to; a protected one asks for a passed check");
                vec![text("alias", &about), reason()]
            }
            Self::RollBack { name } => vec![text("alias", &format!("the alias of {name} that goes back to where it was before")), reason()],
            Self::Protect { name, .. } => {
                vec![text("alias", &format!("the alias of {name} to protect; of a protected one, to protect no longer")), reason()]
            }
            Self::Package => {
                let defaults = PackageRequest::default();
                let mut fields = vec![
                    path("package", Wanted::Any, "the file to pack the opened model into, FILE.drydock"),
                    path("data", Wanted::Table, "a table whose first rows are the golden cases; without one they are drawn from the contract"),
                    text("rows", "golden rows"),
                    text("seed", "for rows that are drawn"),
                    choice("replace", "replace a package that exists? space changes it"),
                    choice("no profile", "leave out how fast the model is here, which takes seconds to measure? space changes it"),
                ];
                for (index, value) in [(2, defaults.rows.to_string()), (3, defaults.seed.to_string())] {
                    if let Some(field) = fields.get_mut(index) {
                        field.text.set(&value);
                    }
                }
                fields
            }
            Self::Remove { name, version } => vec![
                text("remove", &format!("type {name}:{version} to remove it with its files; aliases on it stop that")),
                choice("force", "remove it also where an alias points at it? space changes it"),
                choice("all", &format!("remove every version of {name}? space changes it; then type {name} alone")),
            ],
        }
    }
}

impl Asked {
    /// `likely` stands in the first field already.
    pub fn new(question: Question, likely: &str) -> Self {
        let mut asked = Self { fields: question.fields(), question, selected: 0 };
        if let Some(first) = asked.fields.first_mut() {
            first.text.set(likely);
        }
        asked
    }

    pub fn field(&self) -> Option<&Field> {
        self.fields.get(self.selected)
    }

    pub fn field_mut(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.selected)
    }

    fn text(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", |field| field.text.text().trim())
    }

    fn optional(&self, index: usize) -> Option<String> {
        Some(self.text(index)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        self.optional(index).map(|text| expand_home(&text))
    }

    fn is_yes(&self, index: usize) -> bool {
        self.fields.get(index).is_some_and(Field::is_yes)
    }

    fn number<T: std::str::FromStr>(&self, index: usize, expected: &str) -> Result<T, Problem> {
        let text = self.text(index);
        text.parse().map_err(|_| Problem { field: index, text: format!("expected {expected}, found '{text}'") })
    }

    /// The act that the answers ask for; `None` where the first field is empty, which asks for none.
    pub fn act(&self) -> Result<Option<Act>, Problem> {
        let answer = self.text(0);
        if answer.is_empty() {
            return Ok(None);
        }
        let alias = answer.to_owned();
        let reason = self.optional(1);
        Ok(Some(Act::Registry(match &self.question {
            Question::Path => return Ok(Some(Act::Open(expand_home(answer)))),
            Question::Package => return self.package().map(Some),
            Question::Add { model } => {
                let lineage = LineageRequest { parent: self.optional(1), recipe: self.path(2), data: self.path(3) };
                RegistryCommand::Add { model: model.clone(), name: answer.to_owned(), lineage }
            }
            Question::Alias { name, version } => match answer.strip_prefix('-') {
                Some(alias) => RegistryCommand::RemoveAlias { name: name.clone(), alias: alias.to_owned(), reason },
                None => RegistryCommand::SetAlias { model: format!("{name}:{version}"), alias, reason },
            },
            Question::Promote { name, version } => RegistryCommand::Promote { model: format!("{name}:{version}"), alias, reason },
            Question::RollBack { name } => RegistryCommand::RollBack { name: name.clone(), alias, reason },
            Question::Protect { name, protected } => {
                let is_protected = !protected.contains(&alias);
                RegistryCommand::Protect { name: name.clone(), alias, is_protected, reason }
            }
            Question::Remove { name, version } => {
                let model = if self.is_yes(2) { name.clone() } else { format!("{name}:{version}") };
                if answer != model {
                    return Err(Problem { field: 0, text: format!("nothing is removed: expected {model}, found {answer}") });
                }
                RegistryCommand::Remove { model, is_forced: self.is_yes(1) }
            }
        })))
    }

    fn package(&self) -> Result<Act, Problem> {
        let output = expand_home(self.text(0));
        if !is_package(&output) {
            return Err(Problem { field: 0, text: "expected a name that ends in .drydock: by that a package is known".to_owned() });
        }
        let rows = self.number::<std::num::NonZeroUsize>(2, "a number of rows such as 20")?;
        let seed = self.number(3, "a whole number such as 0")?;
        let overwrite = self.is_yes(4);
        Ok(Act::Package(PackageRequest { output, data: self.path(1), rows: rows.get(), seed, profile: !self.is_yes(5), overwrite }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: Question, answers: &[&str]) -> Asked {
        let mut asked = Asked::new(question, "");
        asked.fields.iter_mut().zip(answers).for_each(|(field, answer)| field.text.set(answer));
        asked
    }

    fn registry(asked: &Asked) -> Option<RegistryCommand> {
        match asked.act() {
            Ok(Some(Act::Registry(command))) => Some(command),
            _ => None,
        }
    }

    #[test]
    fn a_version_is_removed_only_where_its_name_is_typed() {
        let removed = |answers: &[&str]| registry(&asked(Question::Remove { name: "fraud".to_owned(), version: 2 }, answers));
        assert_eq!(removed(&["fraud"]), None);
        assert_eq!(removed(&["fraud:1"]), None);
        let remove = |model: &str, is_forced| Some(RegistryCommand::Remove { model: model.to_owned(), is_forced });
        assert_eq!(removed(&["fraud:2"]), remove("fraud:2", false));
        assert_eq!(removed(&["fraud:2", "yes"]), remove("fraud:2", true));
        // The whole model needs its own word.
        assert_eq!(removed(&["fraud:2", "no", "yes"]), None);
        assert_eq!(removed(&["fraud", "no", "yes"]), remove("fraud", false));
    }

    #[test]
    fn a_protected_alias_is_protected_no_longer() {
        let protects = |answer| {
            let question = Question::Protect { name: "fraud".to_owned(), protected: vec!["live".to_owned()] };
            matches!(registry(&asked(question, &[answer])), Some(RegistryCommand::Protect { is_protected: true, .. }))
        };
        assert!(protects("champion") && !protects("live"));
    }

    #[test]
    fn a_reason_goes_with_every_move() {
        let (name, version) = ("fraud".to_owned(), 2);
        let questions = [
            Question::Alias { name: name.clone(), version },
            Question::Promote { name: name.clone(), version },
            Question::RollBack { name: name.clone() },
            Question::Protect { name, protected: Vec::new() },
        ];
        for question in questions {
            for answer in ["live", "-live"] {
                let command = registry(&asked(question.clone(), &[answer, "fewer alarms"]));
                let text = format!("{command:?}");
                assert!(text.contains("Some(\"fewer alarms\")"), "{question:?}: {text}");
            }
        }
    }

    #[test]
    fn where_a_model_comes_from_goes_with_it() {
        let command = registry(&asked(Question::Add { model: "m.onnx".into() }, &["fraud", "fraud:1", "recipe.toml", ""]));
        let lineage = LineageRequest { parent: Some("fraud:1".to_owned()), recipe: Some("recipe.toml".into()), data: None };
        assert_eq!(command, Some(RegistryCommand::Add { model: "m.onnx".into(), name: "fraud".to_owned(), lineage }));
    }

    #[test]
    fn a_package_has_the_options_of_the_command_line() {
        let packed = |answers: &[&str]| asked(Question::Package, answers).act();
        let request = PackageRequest { output: "p.drydock".into(), data: Some("new.csv".into()), rows: 50, seed: 7, profile: false, overwrite: true };
        assert_eq!(packed(&["p.drydock", "new.csv", "50", "7", "yes", "yes"]), Ok(Some(Act::Package(request))));
        assert_eq!(packed(&["p.drydock"]), Ok(Some(Act::Package(PackageRequest { output: "p.drydock".into(), ..PackageRequest::default() }))));
        assert_eq!(packed(&["p.zip"]).unwrap_err().field, 0);
        assert_eq!(packed(&["p.drydock", "", "0"]).unwrap_err().field, 2);
        assert_eq!(packed(&["p.drydock", "", "9", "x"]).unwrap_err().field, 3);
    }
}

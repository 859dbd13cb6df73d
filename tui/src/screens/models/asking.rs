//! What the Models screen asks for while something is typed, and the act that comes of it.

use std::path::PathBuf;

use drydock_core::session::{LineageRequest, RegistryCommand};

/// A question at the top of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The path of a model to open, or a name of the registry.
    Path,
    /// The name that the opened model is added under.
    Name {
        model: PathBuf,
    },
    /// An alias for a version; with `-` before it, the alias to take away.
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
    /// The alias to protect, or no longer.
    Protect {
        name: String,
        protected: Vec<String>,
    },
    /// The file that the opened model is packed into.
    Package,
    /// Whether to remove a version: its name has to be typed.
    Remove {
        name: String,
        version: u32,
    },
}

impl Question {
    /// Before what is typed.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Path => "open     ",
            Self::Name { .. } => "name     ",
            Self::Remove { .. } => "remove   ",
            Self::Package => "package  ",
            _ => "alias    ",
        }
    }

    /// What is expected, in a line.
    pub fn explanation(&self) -> String {
        match self {
            Self::Path => "a path, or a name of the registry: name, name:version, name@alias".to_owned(),
            Self::Name { model } => format!("the name to add {} under", model.display()),
            Self::Alias { name, version } => format!("an alias for {name} v{version}, such as champion; -champion takes it away"),
            Self::Promote { name, version } => format!("the alias that {name} v{version} is promoted to; a protected one asks for a passed check"),
            Self::RollBack { name } => format!("the alias of {name} that goes back to where it was before"),
            Self::Protect { name, .. } => format!("the alias of {name} to protect; of a protected one, to protect no longer"),
            Self::Package => "the file to pack the model into, with golden rows drawn from its contract".to_owned(),
            Self::Remove { name, version } => format!("type {name}:{version} to remove it with its files; aliases on it stop that"),
        }
    }

    /// The act that an answer asks for; `None` where it asks for none.
    pub fn act(&self, answer: &str) -> Option<RegistryCommand> {
        let answer = answer.trim();
        if answer.is_empty() {
            return None;
        }
        let reason = None;
        Some(match self {
            Self::Path | Self::Package => return None,
            Self::Name { model } => RegistryCommand::Add { model: model.clone(), name: answer.to_owned(), lineage: LineageRequest::default() },
            Self::Alias { name, version } => match answer.strip_prefix('-') {
                Some(alias) => RegistryCommand::RemoveAlias { name: name.clone(), alias: alias.to_owned(), reason },
                None => RegistryCommand::SetAlias { model: format!("{name}:{version}"), alias: answer.to_owned(), reason },
            },
            Self::Promote { name, version } => RegistryCommand::Promote { model: format!("{name}:{version}"), alias: answer.to_owned(), reason },
            Self::RollBack { name } => RegistryCommand::RollBack { name: name.clone(), alias: answer.to_owned(), reason },
            Self::Protect { name, protected } => {
                let is_protected = !protected.iter().any(|alias| alias == answer);
                RegistryCommand::Protect { name: name.clone(), alias: answer.to_owned(), is_protected, reason }
            }
            Self::Remove { name, version } => {
                let model = format!("{name}:{version}");
                return (answer == model).then_some(RegistryCommand::Remove { model, is_forced: false });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_removed_only_where_its_name_is_typed() {
        let question = Question::Remove { name: "fraud".to_owned(), version: 2 };
        assert_eq!(question.act("fraud"), None);
        assert_eq!(question.act("fraud:2"), Some(RegistryCommand::Remove { model: "fraud:2".to_owned(), is_forced: false }));
    }

    #[test]
    fn a_protected_alias_is_protected_no_longer() {
        let question = Question::Protect { name: "fraud".to_owned(), protected: vec!["live".to_owned()] };
        let protects = |answer| matches!(question.act(answer), Some(RegistryCommand::Protect { is_protected: true, .. }));
        assert!(protects("champion") && !protects("live"));
    }
}

//! Names of models and aliases, and how a version is asked for: `name`, `name:version`, `name@alias`.

use std::fmt;
use std::str::FromStr;

use super::RegistryError;

const MAX_CHARACTERS: usize = 100;

/// Which version of a model is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    Latest,
    Version(u32),
    Alias(String),
}

/// A model of the registry, as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReference {
    pub name: String,
    pub which: Which,
}

impl FromStr for ModelReference {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let (name, which) = match (text.split_once(':'), text.split_once('@')) {
            (Some((name, version)), None) => (name, which_version(version).ok_or_else(|| no_version(text, version))?),
            (None, Some((name, alias))) => (name, which_version(alias).filter(|_| !is_number(alias)).map_or_else(|| alias_of(alias), Ok)?),
            (None, None) => (text, Which::Latest),
            (Some(_), Some(_)) => {
                return Err(RegistryError::refused(format!("'{}': write name:version or name@alias, not both", text.escape_debug())));
            }
        };
        check_model_name(name)?;
        Ok(Self { name: name.to_owned(), which })
    }
}

fn alias_of(alias: &str) -> Result<Which, RegistryError> {
    check_alias(alias)?;
    Ok(Which::Alias(alias.to_owned()))
}

fn no_version(text: &str, version: &str) -> RegistryError {
    let (text, version) = (text.escape_debug(), version.escape_debug());
    RegistryError::refused(format!("'{text}': a version is a number from 1, or 'latest', not '{version}'; an alias is written name@alias"))
}

/// `3`, `v3`, `latest`.
fn which_version(text: &str) -> Option<Which> {
    if text == "latest" {
        return Some(Which::Latest);
    }
    text.strip_prefix('v').unwrap_or(text).parse().ok().filter(|version| *version > 0).map(Which::Version)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for ModelReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.which {
            Which::Latest => f.write_str(&self.name),
            Which::Version(version) => write!(f, "{}:{version}", self.name),
            Which::Alias(alias) => write!(f, "{}@{alias}", self.name),
        }
    }
}

/// Whether a text may name a model; the error says why not.
pub fn check_model_name(name: &str) -> Result<(), RegistryError> {
    check(name, "a model")
}

/// Whether a text may be an alias; the error says why not.
pub fn check_alias(alias: &str) -> Result<(), RegistryError> {
    check(alias, "an alias")?;
    if alias == "latest" || is_number(alias.strip_prefix('v').unwrap_or(alias)) {
        let what = "'latest', numbers and 'v' with a number mean versions already";
        return Err(RegistryError::refused(format!("'{alias}' can't be an alias: {what}; take another, such as 'champion'")));
    }
    Ok(())
}

fn check(name: &str, what: &str) -> Result<(), RegistryError> {
    let shown = name.chars().take(MAX_CHARACTERS).collect::<String>();
    let refused = |why: &str| Err(RegistryError::refused(format!("'{}' can't name {what}: {why}", shown.escape_debug())));
    let allowed = "letters, digits, '-', '_' and '.' are allowed";
    match name.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        _ if name.is_empty() => refused("it is empty"),
        Some(c) if c.is_control() => refused(&format!("it has a control character; {allowed}")),
        Some(c) => refused(&format!("it has a '{c}'; {allowed}")),
        None if name.starts_with(['-', '.']) => refused("it begins with '-' or '.'; begin with a letter or a digit"),
        None if name.chars().count() > MAX_CHARACTERS => refused(&format!("it has more than {MAX_CHARACTERS} characters")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written() {
        let reference = |name: &str, which| ModelReference { name: name.to_owned(), which };
        for (text, expected) in [
            ("fraud", reference("fraud", Which::Latest)),
            ("fraud:3", reference("fraud", Which::Version(3))),
            ("fraud@champion", reference("fraud", Which::Alias("champion".to_owned()))),
        ] {
            let read: ModelReference = text.parse().unwrap();
            assert_eq!((read.to_string().as_str(), &read), (text, &expected));
        }
        for (text, expected) in
            [("fraud:latest", Which::Latest), ("fraud@latest", Which::Latest), ("fraud:v3", Which::Version(3)), ("fraud@v3", Which::Version(3))]
        {
            assert_eq!(text.parse::<ModelReference>().unwrap().which, expected, "{text}");
        }
        for wrong in ["", ":1", "fraud:", "fraud:0", "fraud:-1", "fraud:champion", "fraud@", "fraud@3", "fraud@a:1", "a/b", "fraud:4294967296"] {
            assert!(wrong.parse::<ModelReference>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_that_would_lead_astray_are_refused() {
        for (name, why) in [
            ("a/b", "'/'"),
            ("..", "begins with"),
            ("a\\b", "'\\'"),
            ("a\u{7}b", "control character"),
            ("a\nb", "control character"),
            ("a b", "' '"),
            ("", "empty"),
            ("-rf", "begins with"),
        ] {
            let error = check_model_name(name).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains(|c: char| c.is_control()), "{name:?}: {error}");
        }
        assert!(check_model_name(&"a".repeat(101)).is_err());
        for name in ["payment-fraud", "wine_2.1", "größe"] {
            check_model_name(name).unwrap();
        }
        for alias in ["latest", "v3", "17"] {
            assert!(check_alias(alias).unwrap_err().to_string().contains("versions"), "{alias}");
        }
        for alias in ["champion", "production", "v", "v3a"] {
            check_alias(alias).unwrap();
        }
    }
}

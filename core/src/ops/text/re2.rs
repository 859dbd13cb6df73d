//! Regular expressions as RE2 means them, for a crate whose syntax is nearly the same: in RE2 `\d`, `\s`, `\w` and `\b` know ASCII alone,
//! `\Q…\E` quotes, and a character class holds no other class and no set operation.
//!
//! RE2's syntax: <https://github.com/google/re2/wiki/Syntax>.

use regex::bytes::{Regex, RegexBuilder};

use crate::ops::OpError;

/// A pattern that matches a whole text or not at all.
pub(super) fn whole(pattern: &str) -> Result<Regex, OpError> {
    let wrong = |error: regex::Error| {
        let reason = error.to_string();
        let last_line = reason.lines().next_back().unwrap_or_default();
        OpError::value(format!("attribute 'pattern' is '{pattern}', which is no regular expression: {}", last_line.trim_start_matches("error: ")))
    };
    let compile = |pattern: &str| RegexBuilder::new(pattern).octal(true).build().map_err(wrong);
    let translated = translate(pattern)?;
    // On its own first: around it the anchors' group could close what it leaves open.
    compile(&translated)?;
    compile(&format!(r"\A(?:{translated})\z"))
}

/// The same pattern in the crate's syntax.
pub(in crate::ops) fn translate(pattern: &str) -> Result<String, OpError> {
    let mut translated = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    let mut is_in_class = false;
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('Q') => {
                    let quoted: String = rest.by_ref().collect();
                    let (quoted, after) = quoted.split_once(r"\E").unwrap_or((&quoted, ""));
                    translated.push_str(&regex::escape(quoted));
                    translated.push_str(&translate(after)?);
                    return Ok(translated);
                }
                Some(escaped) => push_escaped(&mut translated, escaped),
                None => translated.push('\\'),
            },
            '[' if is_in_class && rest.peek() != Some(&':') => translated.push_str(r"\["),
            '[' if is_in_class => {
                // A named class such as [:alpha:], up to its own bracket.
                translated.push('[');
                for named in rest.by_ref() {
                    translated.push(named);
                    if named == ']' {
                        break;
                    }
                }
            }
            '[' => {
                is_in_class = true;
                translated.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
                // A bracket that comes first stands for itself.
                if rest.next_if_eq(&']').is_some() {
                    translated.push_str(r"\]");
                }
            }
            ']' => {
                is_in_class = false;
                translated.push(']');
            }
            '-' if is_in_class && rest.peek() == Some(&'-') => {
                return Err(OpError::unsupported(format!("'--' in a character class of the pattern '{pattern}' (write '\\-')")));
            }
            '&' | '~' if is_in_class => translated.extend(['\\', character]),
            other => translated.push(other),
        }
    }
    Ok(translated)
}

fn push_escaped(translated: &mut String, escaped: char) {
    match escaped {
        'd' => translated.push_str("[0-9]"),
        'D' => translated.push_str("[^0-9]"),
        's' => translated.push_str(r"[\t\n\f\r ]"),
        'S' => translated.push_str(r"[^\t\n\f\r ]"),
        'w' => translated.push_str("[0-9A-Za-z_]"),
        'W' => translated.push_str("[^0-9A-Za-z_]"),
        'b' => translated.push_str(r"(?-u:\b)"),
        'B' => translated.push_str(r"(?-u:\B)"),
        other => translated.extend(['\\', other]),
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn patterns_mean_what_they_mean_in_re2() {
        // ONNX Runtime, which uses RE2.
        let cases = [
            (r"\d+", "123", true),
            (r"\d+", "١٢", false),
            (r"\w+", "naïve", false),
            (r"[^\W\d]+", "abc", true),
            (r"[^\W\d]+", "ab1", false),
            (r"\Qa.b\E+", "a.bb", true),
            (r"\Qa.b\E", "axb", false),
            (r"[[a]+", "[a[", true),
            (r"[a&&b]+", "a&b", true),
            (r"[]a]+", "]a", true),
            (r"[[:alpha:]_]+", "a_b", true),
            (r"a|ab", "ab", true),
            (r".", "\n", false),
            (r"(?s).", "\n", true),
            (r".", "é", true),
            (r"\x{e9}", "é", true),
            (r"\101", "A", true),
            (r"a\b", "a", true),
            (r"(?i)straße", "STRAßE", true),
            (r"", "", true),
            (r"", "a", false),
            (r"a$", "a\n", false),
        ];
        for (pattern, text, matches) in cases {
            assert_eq!(whole(pattern).unwrap().is_match(text.as_bytes()), matches, "{pattern} against {text:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["(", "a)(", "[a", r"\", "a{2,1}", r"\k"] {
            let error = whole(pattern).unwrap_err().to_string();
            assert!(error.contains("no regular expression") && error.lines().count() == 1, "{error}");
        }
        assert!(whole("[a--b]").unwrap_err().to_string().contains("not supported"));
        // The crate's own limit on the size of a compiled pattern.
        assert!(whole("(((a{100}){100}){100}){100}").is_err());
    }
}

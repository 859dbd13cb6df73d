//! Lists of column names as `--columns`, `--bind` and `--keep` take them: separated by commas; a name that holds a comma stands in double quotes.

/// Splits `a,"b,c",d`. Names keep inner spaces; a doubled quote inside quotes is one quote.
pub fn split_names(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = if let Some(quoted) = rest.strip_prefix('"') { quoted_name(quoted, text)? } else { plain_name(rest) };
        if name.is_empty() {
            return Err(format!("'{text}': a column name is empty"));
        }
        names.push(name);
        match after {
            Some(after) => rest = after,
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
        } else if after.is_empty() {
            return Ok((name, None));
        } else if let Some(after) = after.strip_prefix(',') {
            return Ok((name, Some(after)));
        } else {
            return Err(format!("'{whole}': expected a comma after the closing quote"));
        }
    }
}

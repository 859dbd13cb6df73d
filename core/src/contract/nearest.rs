//! The name that somebody meant.

/// The candidate most like `name`, if one is like it at all.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let fold = |text: &str| text.to_lowercase().replace([' ', '-', '.'], "_");
    let wanted = fold(name);
    let scored = candidates.into_iter().map(|candidate| (strsim::jaro_winkler(&wanted, &fold(candidate)), candidate));
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

/// ` (did you mean 'age'?)`, or nothing.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |candidate| format!(" (did you mean '{candidate}'?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let columns = ["age", "amount", "country_code"];
        for (typed, meant) in [("Age", "age"), ("amuont", "amount"), ("country code", "country_code"), ("contry_code", "country_code")] {
            assert_eq!(nearest(typed, columns), Some(meant), "{typed}");
        }
        assert_eq!(nearest("zip", columns), None);
        assert_eq!(did_you_mean("ages", columns), " (did you mean 'age'?)");
    }
}

//! The equation of an Einsum: which label each axis of each operand has, and which the result keeps.

use crate::ops::OpError;

/// A name for an axis: a letter, or a position in the ellipsis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// Counted from the ellipsis's last axis, so that axes align at their ends.
    Ellipsis(usize),
    Letter(char),
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ellipsis(_) => f.write_str("..."),
            Self::Letter(letter) => write!(f, "'{letter}'"),
        }
    }
}

/// The labels of one operand or of the result, before the ellipsis's axes are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Term {
    before: Vec<char>,
    has_ellipsis: bool,
    after: Vec<char>,
}

impl Term {
    fn parse(text: &str) -> Result<Self, OpError> {
        let wrong = |what: String| OpError::value(format!("attribute 'equation': {what} in '{text}'"));
        let mut parts = text.split("...");
        let letters = |part: Option<&str>| part.unwrap_or_default().chars().collect::<Vec<char>>();
        let (before, has_ellipsis) = (letters(parts.next()), text.contains("..."));
        let after = letters(parts.next());
        if parts.next().is_some() {
            return Err(wrong("there is more than one ellipsis".to_owned()));
        }
        match before.iter().chain(&after).find(|letter| !letter.is_ascii_alphabetic()) {
            Some(other) => Err(wrong(format!("'{other}' is no letter and no ellipsis"))),
            None => Ok(Self { before, has_ellipsis, after }),
        }
    }

    fn letters(&self) -> impl Iterator<Item = char> {
        self.before.iter().chain(&self.after).copied()
    }

    fn n_letters(&self) -> usize {
        self.before.len() + self.after.len()
    }

    fn labels(&self, n_ellipsis: usize) -> Vec<Label> {
        let ellipsis = (0..if self.has_ellipsis { n_ellipsis } else { 0 }).rev().map(Label::Ellipsis);
        let letters = |letters: &[char]| letters.iter().copied().map(Label::Letter).collect::<Vec<_>>();
        letters(&self.before).into_iter().chain(ellipsis).chain(letters(&self.after)).collect()
    }
}

/// A parsed equation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equation {
    operands: Vec<Term>,
    result: Term,
}

impl Equation {
    pub fn parse(text: &str, n_operands: usize) -> Result<Self, OpError> {
        let text: String = text.chars().filter(|&letter| letter != ' ').collect();
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (text.as_str(), None),
        };
        let operands = left.split(',').map(Term::parse).collect::<Result<Vec<_>, _>>()?;
        if operands.len() != n_operands {
            return Err(OpError::value(format!("attribute 'equation' is '{text}', with {} terms for {n_operands} operands", operands.len())));
        }
        let all: Vec<char> = operands.iter().flat_map(Term::letters).collect();
        let count = |letter: char| all.iter().filter(|other| **other == letter).count();
        let Some(right) = right else {
            // Without an arrow the result has what occurs once, in ASCII's order, after the ellipsis.
            let mut after: Vec<char> = all.iter().copied().filter(|&letter| count(letter) == 1).collect();
            after.sort_unstable();
            let has_ellipsis = operands.iter().any(|term| term.has_ellipsis);
            return Ok(Self { operands, result: Term { before: Vec::new(), has_ellipsis, after } });
        };
        let result = Term::parse(right)?;
        for letter in result.letters() {
            if count(letter) == 0 {
                return Err(OpError::value(format!("attribute 'equation' is '{text}'; the result has '{letter}', which no operand has")));
            }
            if result.letters().filter(|other| *other == letter).count() > 1 {
                return Err(OpError::value(format!("attribute 'equation' is '{text}'; the result has '{letter}' more than once")));
            }
        }
        Ok(Self { operands, result })
    }

    /// Labels of the operands' axes and of the result's, for operands of these ranks.
    pub fn resolve(&self, ranks: &[usize]) -> Result<(Vec<Vec<Label>>, Vec<Label>), OpError> {
        let mut n_ellipsis: Option<usize> = None;
        for (index, (term, &rank)) in self.operands.iter().zip(ranks).enumerate() {
            let n_letters = term.n_letters();
            if !term.has_ellipsis {
                if rank != n_letters {
                    return Err(OpError::shape(format!("operand {index} has rank {rank}, but the equation has {n_letters} labels for it")));
                }
                continue;
            }
            let n_covered = rank.checked_sub(n_letters).ok_or_else(|| {
                OpError::shape(format!("operand {index} has rank {rank}, but the equation has {n_letters} labels and an ellipsis for it"))
            })?;
            match n_ellipsis {
                Some(before) if before != n_covered => {
                    return Err(OpError::shape(format!("the ellipsis covers {before} axes of one operand and {n_covered} of operand {index}")));
                }
                _ => n_ellipsis = Some(n_covered),
            }
        }
        let n_ellipsis = n_ellipsis.unwrap_or(0);
        Ok((self.operands.iter().map(|term| term.labels(n_ellipsis)).collect(), self.result.labels(n_ellipsis)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(equation: &str, ranks: &[usize]) -> Result<String, String> {
        let equation = Equation::parse(equation, ranks.len()).map_err(|error| error.to_string())?;
        let (operands, result) = equation.resolve(ranks).map_err(|error| error.to_string())?;
        let text = |labels: &Vec<Label>| {
            let letter = |label: &Label| match label {
                Label::Ellipsis(position) => position.to_string(),
                Label::Letter(letter) => letter.to_string(),
            };
            labels.iter().map(letter).collect::<String>()
        };
        Ok(format!("{} -> {}", operands.iter().map(text).collect::<Vec<_>>().join(", "), text(&result)))
    }

    #[test]
    fn labels_are_given_to_axes() {
        assert_eq!(resolved("ij, jk -> ik", &[2, 2]).unwrap(), "ij, jk -> ik");
        assert_eq!(resolved("bB,aa", &[2, 2]).unwrap(), "bB, aa -> Bb");
        assert_eq!(resolved("i...j,j...", &[4, 3]).unwrap(), "i10j, j10 -> 10i");
        assert_eq!(resolved("...,", &[1, 0]).unwrap(), "0,  -> 0");
        assert_eq!(resolved("i...->i", &[3]).unwrap(), "i10 -> i");
        assert_eq!(resolved("->", &[0]).unwrap(), " -> ");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |equation: &str, ranks: &[usize]| resolved(equation, ranks).unwrap_err();
        assert_eq!(refused("ij,jk", &[2]), "attribute 'equation' is 'ij,jk', with 2 terms for 1 operands");
        assert_eq!(refused("i1", &[2]), "attribute 'equation': '1' is no letter and no ellipsis in 'i1'");
        assert_eq!(refused("i..", &[2]), "attribute 'equation': '.' is no letter and no ellipsis in 'i..'");
        assert_eq!(refused("...i...", &[2]), "attribute 'equation': there is more than one ellipsis in '...i...'");
        assert_eq!(refused("i->j", &[1]), "attribute 'equation' is 'i->j'; the result has 'j', which no operand has");
        assert_eq!(refused("i->ii", &[1]), "attribute 'equation' is 'i->ii'; the result has 'i' more than once");
        assert_eq!(refused("ij", &[3]), "operand 0 has rank 3, but the equation has 2 labels for it");
        assert_eq!(refused("ij...", &[1]), "operand 0 has rank 1, but the equation has 2 labels and an ellipsis for it");
        assert_eq!(refused("...,...", &[1, 2]), "the ellipsis covers 1 axes of one operand and 2 of operand 1");
    }
}

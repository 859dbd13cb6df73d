//! Options of a profile as people write them in forms: one reading, and one judgement of what can't stand.

use super::{Effort, FitTarget, ProfileRequest};
use crate::budget;

/// An option that is written as text. Empty text is its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileOption {
    Batch,
    Threads,
    MaxLatency,
    Data,
    Dims,
    Seed,
    FitMemory,
    FitThreads,
    FitSlowdown,
}

impl ProfileOption {
    pub const ALL: [Self; 9] =
        [Self::Batch, Self::Threads, Self::MaxLatency, Self::Data, Self::Dims, Self::Seed, Self::FitMemory, Self::FitThreads, Self::FitSlowdown];

    /// One or two words, as forms have them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Threads => "threads",
            Self::MaxLatency => "budget",
            Self::Data => "rows from",
            Self::Dims => "dims",
            Self::Seed => "seed",
            Self::FitMemory => "fit memory",
            Self::FitThreads => "fit threads",
            Self::FitSlowdown => "fit slower",
        }
    }

    /// What holds while nothing is written.
    pub fn default_meaning(self, effort: Effort) -> &'static str {
        match self {
            Self::Batch if effort == Effort::Quick => "1",
            Self::Batch => "1, 8 and 32 in turn",
            Self::Threads => "one per core",
            Self::MaxLatency => "none: the most rows a second",
            Self::Data => "drawn from the columns' usual values",
            Self::Dims => "as the model says, or usual ones",
            Self::Seed => "0",
            Self::FitMemory => "not judged",
            Self::FitThreads => "as here",
            Self::FitSlowdown => "as fast as here",
        }
    }

    /// How it is written.
    pub fn example(self) -> &'static str {
        match self {
            Self::Batch => "1, 8, 32",
            Self::Threads => "1, 2",
            Self::MaxLatency => "5ms",
            Self::Data => "new.csv",
            Self::Dims => "seq=128, width=224",
            Self::Seed => "7",
            Self::FitMemory => "512MB",
            Self::FitThreads => "1",
            Self::FitSlowdown => "4",
        }
    }

    /// Reads what was written into a request.
    pub fn set(self, request: &mut ProfileRequest, text: &str) -> Result<(), String> {
        let text = text.trim();
        let is_default = text.is_empty();
        match self {
            Self::Batch => request.batches = numbers(text, "rows")?,
            Self::Threads => request.threads = numbers(text, "threads")?,
            Self::MaxLatency => request.max_latency = if is_default { None } else { Some(budget::parse_duration(text)?) },
            Self::Data => request.data = (!is_default).then(|| text.into()),
            Self::Dims => request.dims = dims(text)?,
            Self::Seed if is_default => request.seed = 0,
            Self::Seed => request.seed = text.parse().map_err(|_| "expected a whole number, such as 7".to_owned())?,
            Self::FitMemory => {
                let bytes = if is_default { None } else { Some(budget::parse_bytes(text)?) };
                set_target(request, |target| target.memory_bytes = bytes);
            }
            Self::FitThreads => {
                let threads = match numbers(text, "threads")?.as_slice() {
                    [] => None,
                    [one] => Some(*one),
                    _ => return Err("expected one number of threads".to_owned()),
                };
                set_target(request, |target| target.threads = threads);
            }
            Self::FitSlowdown => {
                let slowdown = if is_default { None } else { Some(factor(text)?) };
                set_target(request, |target| target.slowdown = slowdown);
            }
        }
        Ok(())
    }

    /// Why what was written can't stand.
    pub fn problem(self, text: &str) -> Option<String> {
        self.set(&mut ProfileRequest::default(), text).err()
    }
}

fn set_target(request: &mut ProfileRequest, set: impl FnOnce(&mut FitTarget)) {
    let mut target = request.fit.unwrap_or_default();
    set(&mut target);
    request.fit = (target != FitTarget::default()).then_some(target);
}

/// `1, 8, 32`.
fn numbers(text: &str, what: &str) -> Result<Vec<usize>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let number = |part: &str| part.parse::<usize>().ok().filter(|number| *number > 0);
    parts.map(|part| number(part).ok_or_else(|| format!("expected numbers of {what} such as 1, 8, found '{part}'"))).collect()
}

/// `seq=128, width=224`.
fn dims(text: &str) -> Result<Vec<(String, usize)>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let dim = |part: &str| {
        let (name, size) = part.split_once('=')?;
        Some((name.trim().to_owned(), size.trim().parse().ok()?))
    };
    parts.map(|part| dim(part).ok_or_else(|| format!("expected a name, '=' and a number such as seq=128, found '{part}'"))).collect()
}

/// By how much another machine is slower: `4`.
pub fn factor(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("expected a number above 0, such as 4 for four times slower".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_becomes_a_request() {
        let mut request = ProfileRequest::default();
        for (option, text) in ProfileOption::ALL.map(|option| (option, option.example())) {
            assert_eq!(option.set(&mut request, text), Ok(()), "{option:?}");
        }
        assert_eq!((request.batches.as_slice(), request.threads.as_slice()), ([1, 8, 32].as_slice(), [1, 2].as_slice()));
        assert_eq!(request.max_latency, Some(std::time::Duration::from_millis(5)));
        assert_eq!(request.dims, [("seq".to_owned(), 128), ("width".to_owned(), 224)]);
        let target = FitTarget { memory_bytes: Some(512_000_000), threads: Some(1), slowdown: Some(4.0) };
        assert_eq!((request.seed, request.fit), (7, Some(target)));
        for option in ProfileOption::ALL {
            assert_eq!(option.set(&mut request, " "), Ok(()), "{option:?}");
        }
        assert_eq!(request, ProfileRequest::default());
    }

    #[test]
    fn what_cannot_stand_says_what_was_expected() {
        for (option, text, part) in [
            (ProfileOption::Batch, "1, 0", "found '0'"),
            (ProfileOption::Threads, "many", "threads"),
            (ProfileOption::MaxLatency, "5", "5ms"),
            (ProfileOption::Dims, "seq", "seq=128"),
            (ProfileOption::Seed, "-1", "whole number"),
            (ProfileOption::FitMemory, "lots", "512KiB"),
            (ProfileOption::FitThreads, "1, 2", "one number"),
            (ProfileOption::FitSlowdown, "0", "above 0"),
        ] {
            let problem = option.problem(text).unwrap_or_default();
            assert!(problem.contains(part), "{option:?}: {problem}");
        }
    }
}

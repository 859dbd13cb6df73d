//! Labels that several versions share: each name has one code, whoever says it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// More distinct labels than this are no classes.
const MAX_LABELS: usize = 10_000;

/// The code of a row without a label, and of labels beyond the bound.
pub const NO_LABEL: u32 = u32::MAX;

/// Grows while blocks are worked through, as versions and truth name labels that nobody announced.
#[derive(Debug, Default)]
pub struct LabelSpace(Mutex<Names>);

#[derive(Debug, Default)]
struct Names {
    names: Vec<String>,
    codes: HashMap<String, u32>,
}

impl LabelSpace {
    pub fn code(&self, name: &str) -> u32 {
        self.lock().code(name)
    }

    pub fn codes<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<u32> {
        let mut space = self.lock();
        names.map(|name| space.code(name)).collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.lock().names.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        // A panic elsewhere leaves the names whole: they only grow.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    fn code(&mut self, name: &str) -> u32 {
        if let Some(&code) = self.codes.get(name) {
            return code;
        }
        match u32::try_from(self.names.len()) {
            Ok(code) if self.names.len() < MAX_LABELS => {
                self.names.push(name.to_owned());
                self.codes.insert(name.to_owned(), code);
                code
            }
            _ => NO_LABEL,
        }
    }
}

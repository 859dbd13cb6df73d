//! TBD

use super::Registration;

pub const OPERATORS: &[Registration] = &[];

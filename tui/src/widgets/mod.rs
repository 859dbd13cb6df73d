//! Parts that several screens are made of. Each draws plain lines from plain values.

pub mod bar;
pub mod list;
pub mod panel;
pub mod path_field;
pub mod plot;
pub mod text_field;

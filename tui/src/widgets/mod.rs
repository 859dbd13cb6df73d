//! Parts that several screens are made of. Each draws plain lines from plain values.

pub mod bar;
pub mod form;
pub mod list;
pub mod panel;
pub mod parts;
pub mod path_field;
pub mod plot;
pub mod scroll;
pub mod table;
pub mod text_field;

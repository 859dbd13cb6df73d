//! What several views draw. Widgets know nothing of the session: they take plain values and return responses.

pub mod bars;
pub mod combo;
pub mod form;
pub mod icon;
pub mod message;
pub mod page;
pub mod path_field;
pub mod plot;
pub mod property;
pub mod report_table;
pub mod sections;
pub mod table;
pub mod verdict;

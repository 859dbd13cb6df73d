//! The desktop program, driven as a person drives it: by the names that a screen reader says, by keys and by dropped files.
//! No window and no GPU is needed; only `pictures` draws pixels, on whatever adapter there is.

mod comparing;
mod models;
mod navigation;
mod packages;
mod pictures;
mod predicting;
mod profiling;
mod registry;
mod scoring;
mod speed;
mod support;
mod widgets;

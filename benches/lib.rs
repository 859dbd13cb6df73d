//! What the benchmarks share: sample models with a row to predict.

use drydock_core::model::OpenModel;
use drydock_core::predict::Row;
use drydock_core::task::TaskCtx;
use drydock_core::tensor::Device;
use drydock_tests::sample_model;

/// Names of the sample models, for a benchmark's arguments.
pub const SAMPLES: [&str; 6] = ["breast-cancer", "diabetes", "digits", "payment-fraud", "payment-fraud-v2", "wine"];

/// A sample model on the CPU.
pub fn open(name: &str) -> OpenModel {
    let path = sample_model(name).model();
    OpenModel::open(&TaskCtx::unattended(), &path, Device::Cpu).unwrap_or_else(|error| panic!("{error}"))
}

/// The first row of a sample's `new.csv`, as a person would have typed it.
pub fn first_row(name: &str, model: &OpenModel) -> Row {
    let path = sample_model(name).table("new");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines().map(|line| line.split(','));
    let (Some(header), Some(cells)) = (lines.next(), lines.next()) else { panic!("{}: no rows", path.display()) };
    let is_fed = |name: &str| model.contract.columns.iter().any(|column| column.name == name);
    Row(header.zip(cells).filter(|(name, _)| is_fed(name)).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect())
}

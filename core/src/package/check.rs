//! Whether a package's model does here what it did where it was packed.

use std::path::{Path, PathBuf};

use super::{PackageError, unpack};
use crate::engine::{Plan, PlanOptions};
use crate::host::HostTensor;
use crate::onnx::values::{HostValue, encode, load};
use crate::task::TaskCtx;
use crate::tensor::{Device, MapKey, Tensor, TensorError, Value};
use crate::verify::compare::{Tolerance, compare, kind_of, to_value};
use crate::{model, onnx};

pub(super) const INPUT: &str = "input_";
pub(super) const OUTPUT: &str = "output_";

/// How golden outputs compare with those of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Golden {
    BitEqual,
    WithinTolerance,
    Different,
}

impl Golden {
    pub const fn name(self) -> &'static str {
        match self {
            Self::BitEqual => "bit-equal",
            Self::WithinTolerance => "within tolerance",
            Self::Different => "different",
        }
    }
}

/// What came of running a package.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PackageCheck {
    pub package: PathBuf,
    pub model: String,
    pub hash: String,
    pub verdict: Golden,
    pub rows: usize,
    pub device: String,
    pub relative_tolerance: f64,
    pub absolute_tolerance: f64,
    /// By output, where it is not the same to the bit: how it differs.
    pub differences: Vec<String>,
    /// Where and when it was packed.
    pub provenance: serde_json::Value,
}

/// Takes a package apart, holds every entry against its checksum, and runs the golden cases.
pub fn check(ctx: &TaskCtx, path: &Path, device: &Device) -> Result<PackageCheck, PackageError> {
    let unpacked = unpack(ctx, path)?;
    let manifest = &unpacked.manifest;
    let file = onnx::load(ctx, &unpacked.model_path())?;
    let (graph, content) = (&file.model.graph, model::Content::new(file.bytes.clone(), file.external.clone()));
    if content.sha256() != manifest.sha256 {
        let reason = format!("the model's content should be {} and is {}", manifest.sha256, content.sha256());
        return Err(PackageError::Damaged { path: path.to_owned(), entry: "model/model.onnx".to_owned(), reason });
    }
    let plan = Plan::compile(ctx, &file.model, &PlanOptions { device: device.clone(), ..PlanOptions::default() })?;
    let golden = unpacked.golden();
    let read = |prefix: &str, ids: &[crate::graph::ValueId]| -> Result<Vec<(String, HostValue)>, PackageError> {
        let mut values = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            let (file, info) = (golden.join(format!("{prefix}{place}.pb")), graph.value(*id));
            if file.exists() {
                values.push((info.name.clone(), load(&file, kind_of(info.value_type.as_ref()))?));
            }
        }
        Ok(values)
    };
    let unusable = |error: TensorError| PackageError::Golden(error.to_string());
    let inputs: Vec<(String, Value)> = read(INPUT, &graph.inputs)?
        .into_iter()
        .map(|(name, value)| Ok((name, to_value(value).map_err(unusable)?)))
        .collect::<Result<_, PackageError>>()?;
    let expected = read(OUTPUT, &graph.outputs)?;
    let actual = plan.run(ctx, inputs)?;
    if expected.is_empty() || expected.len() != actual.len() {
        let reason = format!("the package has {} golden outputs, the model gives {}", expected.len(), actual.len());
        return Err(PackageError::NotAPackage { path: path.to_owned(), reason });
    }
    let tolerance = Tolerance { relative: manifest.relative_tolerance, absolute: manifest.absolute_tolerance };
    let mut check = PackageCheck {
        package: path.to_owned(),
        model: manifest.model.clone(),
        hash: manifest.sha256.clone(),
        verdict: Golden::BitEqual,
        rows: manifest.golden_rows,
        device: device.label(),
        relative_tolerance: tolerance.relative,
        absolute_tolerance: tolerance.absolute,
        differences: Vec::new(),
        provenance: manifest.provenance.clone(),
    };
    for (actual, (name, expected)) in actual.iter().zip(&expected) {
        if encoded(actual, name)? == encode(expected, name) {
            continue;
        }
        let (verdict, why) = match compare(actual, expected, tolerance) {
            Ok(()) => (Golden::WithinTolerance, compare(actual, expected, Tolerance { relative: 0.0, absolute: 0.0 }).err().unwrap_or_default()),
            Err(why) => (Golden::Different, why),
        };
        check.verdict = check.verdict.max(verdict);
        check.differences.push(format!("output '{name}': {}: {why}", verdict.name()));
    }
    Ok(check)
}

/// The bytes of a value's file.
pub(super) fn encoded(value: &Value, name: &str) -> Result<Vec<u8>, PackageError> {
    Ok(encode(&host_value(value).map_err(PackageError::Golden)?, name))
}

fn host_value(value: &Value) -> Result<HostValue, String> {
    Ok(match value {
        Value::Tensor(tensor) => HostValue::Tensor(host_tensor(tensor)?),
        Value::Sequence(items) => HostValue::Sequence(items.iter().map(host_value).collect::<Result<_, _>>()?),
        Value::Map(entries) => {
            let values = entries.iter().map(|(_, value)| host_value(value)).collect::<Result<_, _>>()?;
            HostValue::Map { keys: host_keys(entries.iter().map(|(key, _)| key))?, values }
        }
        Value::Records(records) => {
            let scalar = |value: f32| HostTensor::from_vec(Vec::new(), &[value]).map(HostValue::Tensor).map_err(|error| error.to_string());
            let map = |row: Vec<(MapKey, f32)>| {
                let values = row.iter().map(|(_, value)| scalar(*value)).collect::<Result<_, _>>()?;
                Ok(HostValue::Map { keys: host_keys(row.iter().map(|(key, _)| key))?, values })
            };
            let maps = records.to_maps().map_err(|error| error.to_string())?;
            HostValue::Sequence(maps.into_iter().map(map).collect::<Result<_, String>>()?)
        }
        Value::Absent => HostValue::Optional(None),
    })
}

fn host_tensor(tensor: &Tensor) -> Result<HostTensor, String> {
    match tensor.as_strings() {
        Ok(strings) => HostTensor::from_strings(tensor.shape().to_vec(), strings.to_vec()).map_err(|error| error.to_string()),
        Err(_) => tensor.to_host().map_err(|error| error.to_string()),
    }
}

fn host_keys<'a>(keys: impl Iterator<Item = &'a MapKey> + Clone) -> Result<HostTensor, String> {
    let ints: Option<Vec<i64>> = keys.clone().map(|key| if let MapKey::Int(key) = key { Some(*key) } else { None }).collect();
    let tensor = match ints {
        Some(ints) => HostTensor::from_vec(vec![ints.len()], &ints),
        None => {
            let texts: Vec<compact_str::CompactString> = keys.map(|key| key.to_string().into()).collect();
            HostTensor::from_strings(vec![texts.len()], texts)
        }
    };
    tensor.map_err(|error| error.to_string())
}

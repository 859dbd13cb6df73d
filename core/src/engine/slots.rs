//! The values of a run. A value that both host memory and the plan's device need is kept in both, so that it is copied once at most.

use super::plan::{Slot, Target};
use crate::tensor::{Device, Tensor, TensorError, Value};

/// A place per value of a program.
pub(super) struct Slots {
    places: Vec<Place>,
}

#[derive(Default)]
struct Place {
    /// As it was made.
    value: Option<Value>,
    /// The same tensor on the other side.
    copy: Option<Box<Tensor>>,
}

impl Slots {
    pub fn new(n_slots: usize) -> Self {
        Self { places: std::iter::repeat_with(Place::default).take(n_slots).collect() }
    }

    pub fn has(&self, slot: Slot) -> bool {
        self.places[slot].value.is_some()
    }

    pub fn put(&mut self, slot: Slot, value: Value) {
        self.places[slot] = Place { value: Some(value), copy: None };
    }

    /// The value where its reader wants it; given up, copy and all, if this is its last use.
    pub fn fetch(&mut self, slot: Slot, target: Target, is_last_use: bool, device: &Device) -> Result<Option<Value>, TensorError> {
        let wanted = match target {
            Target::Stay => None,
            Target::Host => Some(&Device::Cpu),
            Target::Device => Some(device),
        };
        if is_last_use {
            let Place { value, copy } = std::mem::take(&mut self.places[slot]);
            return match (value, wanted) {
                (Some(Value::Tensor(tensor)), Some(wanted)) if tensor.travels_to(wanted) => {
                    Ok(Some(Value::Tensor(copy.map_or_else(|| tensor.to_device(wanted), |copy| Ok(*copy))?)))
                }
                (value, _) => Ok(value),
            };
        }
        let place = &mut self.places[slot];
        match (&place.value, wanted) {
            (Some(Value::Tensor(tensor)), Some(wanted)) if tensor.travels_to(wanted) => {
                let copy = match &place.copy {
                    Some(copy) => copy,
                    None => &*place.copy.insert(Box::new(tensor.to_device(wanted)?)),
                };
                Ok(Some(Value::Tensor(Tensor::clone(copy))))
            }
            (value, _) => Ok(value.clone()),
        }
    }
}

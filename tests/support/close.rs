//! numpy's rule for floats that are close enough: `|actual - expected| <= absolute + relative * |expected|`; NaN equals NaN.

/// How far apart two numbers may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

impl Tolerance {
    /// What Drydock promises against ONNX Runtime on the CPU.
    pub const CPU: Self = Self { relative: 1e-4, absolute: 1e-5 };
    /// The same on a GPU.
    pub const GPU: Self = Self { relative: 1e-3, absolute: 1e-3 };

    pub fn accepts(self, actual: f64, expected: f64) -> bool {
        // Infinities are equal or wrong: their difference is no number.
        actual == expected || (actual.is_nan() && expected.is_nan()) || (actual - expected).abs() <= self.absolute + self.relative * expected.abs()
    }
}

/// Fails with the first element that is too far off.
#[track_caller]
pub fn assert_close(what: &str, actual: &[f32], expected: &[f32], tolerance: Tolerance) {
    if let Err(message) = compare(actual, expected, tolerance) {
        panic!("{what}: {message}");
    }
}

/// `Err` says where the two differ first.
pub fn compare(actual: &[f32], expected: &[f32], tolerance: Tolerance) -> Result<(), String> {
    if actual.len() != expected.len() {
        return Err(format!("{} elements, expected {}", actual.len(), expected.len()));
    }
    for (index, (&actual, &expected)) in actual.iter().zip(expected).enumerate() {
        if !tolerance.accepts(f64::from(actual), f64::from(expected)) {
            return Err(format!("element {index} is {actual}, expected {expected} within {tolerance:?}"));
        }
    }
    Ok(())
}

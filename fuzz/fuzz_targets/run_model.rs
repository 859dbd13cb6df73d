//! Any bytes as a model file, run on random inputs if it loads. The inputs depend on the bytes alone, so that a crash comes again.

#![no_main]

use std::time::Duration;

use drydock_tests::fuzzing::{Random, load, run};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(model) = load(bytes) else { return };
    let mut random = Random::new(bytes.iter().fold(0, |hash: u64, &byte| hash.wrapping_mul(31).wrapping_add(byte.into())));
    if let Err(failure) = run(&model, &mut random, Duration::from_secs(5)) {
        panic!("{failure}");
    }
});

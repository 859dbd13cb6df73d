//! Any bytes as a model file: `cargo +nightly fuzz run load_model fuzz/corpus/load_model sample-models`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = drydock_tests::fuzzing::load(bytes);
});

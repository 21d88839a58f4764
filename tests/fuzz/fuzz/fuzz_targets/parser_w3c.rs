#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vthost_fuzz::parser("w3c", bytes));

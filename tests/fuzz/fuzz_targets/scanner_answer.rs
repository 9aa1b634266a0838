#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailweir_tests::fuzz_scanners::scanner_answer(data));

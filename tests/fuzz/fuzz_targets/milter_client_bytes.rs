#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailweir_tests::fuzz_milter::milter_client_bytes(data));

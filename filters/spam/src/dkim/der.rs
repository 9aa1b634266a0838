//! As much of DER (X.690) as it takes to learn how long an RSA key is, before anything is calculated.

/// The length of the modulus in bits, of a SubjectPublicKeyInfo (RFC 5280 section 4.1) or of an
/// RSAPublicKey (RFC 8017 appendix A.1.1), which some domains publish.
pub(super) fn modulus_bits(key: &[u8]) -> Option<u32> {
    let (outer, _) = element(key, SEQUENCE)?;
    if let Some((modulus, _)) = element(outer, INTEGER) {
        return bits(modulus);
    }
    let (_, behind_algorithm) = element(outer, SEQUENCE)?;
    let (key, _) = element(behind_algorithm, BIT_STRING)?;
    // The first byte says how many bits of the last one do not count.
    let (inner, _) = element(key.strip_prefix(&[0])?, SEQUENCE)?;
    let (modulus, _) = element(inner, INTEGER)?;
    bits(modulus)
}

/// What is in the element at the beginning, if it has this tag, and what stands behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first().filter(|_| *first == tag)?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        // Three bytes of length are more than a TXT record can hold.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn bits(number: &[u8]) -> Option<u32> {
    let leading = number.iter().take_while(|byte| **byte == 0).count();
    let number = number.get(leading..)?;
    let unused = number.first()?.leading_zeros();
    u32::try_from(number.len()).ok()?.checked_mul(8)?.checked_sub(unused)
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

#[cfg(test)]
mod tests {
    use super::modulus_bits;

    #[test]
    fn the_modulus_is_found_in_both_forms_of_a_key() {
        let modulus = [&[2, 5, 0, 0x81, 0, 0, 1][..], &[2, 1, 3]].concat();
        let bare = [&[0x30, 10][..], &modulus].concat();
        assert_eq!(modulus_bits(&bare), Some(32));
        let wrapped = [&[0x30, 0x81, 17, 0x30, 0, 3, 13, 0][..], &bare].concat();
        assert_eq!(modulus_bits(&wrapped), Some(32));
        assert_eq!(modulus_bits(&[0x30, 3, 2, 1, 1]), Some(1));
    }

    #[test]
    fn what_is_no_key_has_no_length() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x84, 0, 0, 0, 0],
            &[0x30, 0x83, 255, 255, 255, 2],
            &[0x30, 2, 2, 0],
            &[0x30, 3, 2, 1, 0],
            &[0x31, 3, 2, 1, 1],
        ] {
            assert_eq!(modulus_bits(bytes), None, "{bytes:?}");
        }
    }
}

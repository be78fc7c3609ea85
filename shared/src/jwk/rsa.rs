//! Whether an RSA key is one to verify with (RFC 7518 §3.3, §6.3.1; NIST SP 800-56B for the exponent; CVE-2017-15361).
//!
//! Says nothing of how the primes were chosen beyond the one pattern that can be seen from outside.

use alloc::vec::Vec;

use super::{KeyRefusal, Material};

/// Smallest RSA modulus in bits (RFC 7518 §3.3).
pub const MIN_RSA_BITS: usize = 2048;
/// Largest RSA modulus in bits: each doubling costs four times the work, no issuer uses more, and every backend takes it.
pub const MAX_RSA_BITS: usize = 4096;

/// The odd primes up to 167: what ROCA's primorials of every key size have in common.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Takes the integers as they were published.
pub(super) fn judge(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Material, KeyRefusal> {
    let modulus = without_leading_zeros(modulus);
    let exponent = without_leading_zeros(exponent);
    let bits = match modulus.first() {
        Some(first) => {
            let leading = usize::try_from(first.leading_zeros()).unwrap_or(8);
            modulus.len().saturating_mul(8).saturating_sub(leading)
        }
        None => 0,
    };
    let odd = |octets: &[u8]| octets.last().is_some_and(|last| last & 1 == 1);
    // An exponent over four octets is legal, used by nobody, and makes each check as slow as the caller likes.
    let exponent_fits = exponent.len() <= 4 && odd(&exponent) && exponent != [1];
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || !odd(&modulus) || !exponent_fits {
        return Err(KeyRefusal::WeakRsa);
    }
    if has_roca_fingerprint(&modulus) {
        return Err(KeyRefusal::Roca);
    }
    Ok(Material::Rsa { modulus, exponent })
}

/// RFC 7518 §6.3.1.1 allows no leading zero octets, yet some libraries write the sign octet of ASN.1.
fn without_leading_zeros(octets: Vec<u8>) -> Vec<u8> {
    octets.into_iter().skip_while(|octet| *octet == 0).collect()
}

/// Whether the modulus is a power of 65537 modulo each of many small primes, as those are whose primes Infineon's
/// library chose, and which can be factored. By chance it comes to one modulus in two hundred million.
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|prime| {
        let rest = modulus.iter().try_fold(0, |rest: u32, octet| (rest << 8 | u32::from(*octet)).checked_rem(*prime));
        // They repeat in fewer steps than the prime has.
        let powers = core::iter::successors(Some(1_u32), |power| power.wrapping_mul(65537).checked_rem(*prime));
        powers.take(167).any(|power| rest == Some(power))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// 65537 to the `power`: a number that has ROCA's fingerprint by construction.
    fn power_of_65537(power: usize) -> Vec<u8> {
        let mut octets = vec![1_u8];
        for _ in 0..power {
            // 2¹⁶ + 1 times: the number, and itself two octets further up.
            octets.extend([0, 0]);
            let mut carry = 0;
            for place in (0..octets.len()).rev() {
                let above = if place >= 2 { octets[place - 2] } else { 0 };
                let sum = u16::from(octets[place]) + u16::from(above) + carry;
                carry = sum >> 8;
                octets[place] = sum as u8;
            }
            if carry > 0 {
                octets.insert(0, 1);
            }
        }
        octets
    }

    #[test]
    fn rocas_fingerprint_is_seen() {
        assert_eq!(power_of_65537(2), [1, 0, 2, 0, 1]);
        for power in [128, 150, 190] {
            let modulus = power_of_65537(power);
            assert_eq!(judge(modulus.clone(), vec![1, 0, 1]), Err(KeyRefusal::Roca), "{power}");
            let mut other = modulus;
            *other.last_mut().unwrap() ^= 2;
            assert!(judge(other, vec![1, 0, 1]).is_ok(), "{power}");
        }
    }
}

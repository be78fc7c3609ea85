//! Whether coordinates are a point that one may verify with: on the curve (SP 800-186 §3.2.1, RFC 8032 §5.1.3), and
//! for Ed25519 of more than small order.
//!
//! Judged here because hosts differ: some say nothing until a signature is checked, some never. All of it is public,
//! so nothing is done in constant time for its own sake, and one width of integers serves every field: what is
//! compiled once stays small in WebAssembly.

use crypto_bigint::{
    U576,
    modular::runtime_mod::{DynResidue, DynResidueParams},
};

use crate::algorithm::Curve;

const LIMBS: usize = U576::LIMBS;
const OCTETS: usize = U576::BYTES;

type Element = DynResidue<LIMBS>;

/// A prime field.
struct Field {
    modulus: U576,
    parameters: DynResidueParams<LIMBS>,
}

impl Field {
    fn new(modulus: &[u8]) -> Option<Self> {
        let modulus = integer(modulus)?;
        Some(Self { modulus, parameters: DynResidueParams::new(&modulus) })
    }

    /// The element that big-endian octets write, unless they write it in another way than the one below the modulus.
    fn element(&self, octets: &[u8]) -> Option<Element> {
        let value = integer(octets)?;
        (value < self.modulus).then(|| Element::new(&value, self.parameters))
    }

    const fn zero(&self) -> Element {
        Element::zero(self.parameters)
    }

    const fn one(&self) -> Element {
        Element::one(self.parameters)
    }
}

fn integer(octets: &[u8]) -> Option<U576> {
    let mut padded = [0; OCTETS];
    let start = OCTETS.checked_sub(octets.len())?;
    padded.get_mut(start..)?.copy_from_slice(octets);
    Some(U576::from_be_slice(&padded))
}

/// Whether `y² = x³ − 3x + b`, with both coordinates below the field's prime.
pub(super) fn is_on_curve(curve: Curve, x: &[u8], y: &[u8]) -> bool {
    let (prime, b): (&[u8], &[u8]) = match curve {
        Curve::P256 => (&P256_PRIME, &P256_B),
        Curve::P384 => (&P384_PRIME, &P384_B),
        Curve::P521 => (&P521_PRIME, &P521_B),
    };
    let holds = || {
        let field = Field::new(prime)?;
        let (x, y, b) = (field.element(x)?, field.element(y)?, field.element(b)?);
        let three_x = x.add(&x).add(&x);
        Some(y.square() == x.square().mul(&x).sub(&three_x).add(&b))
    };
    holds().unwrap_or(false)
}

/// Whether 32 octets encode a point of edwards25519 in the one way there is, and not one of the eight whose order
/// divides the cofactor: under such a key there are signatures that hold for any message.
pub(super) fn is_fit_for_ed25519(encoded: &[u8]) -> bool {
    let fit = || {
        let mut octets = <[u8; 32]>::try_from(encoded).ok()?;
        octets.reverse();
        // The highest bit is the sign of x; both signs exist unless x is 0, and that is a point of small order.
        *octets.first_mut()? &= 0x7F;
        let field = Field::new(&ED25519_PRIME)?;
        let (zero, one, d) = (field.zero(), field.one(), field.element(&ED25519_D)?);
        let y = field.element(&octets)?;
        // −x² + y² = 1 + d·x²·y², so x² = u/v; it has a root when u·v is a square, by Euler's criterion.
        let y2 = y.square();
        let (u, v) = (y2.sub(&one), d.mul(&y2).add(&one));
        let is_point = u.mul(&v).pow_bounded_exp(&field.modulus.shr_vartime(1), 255) == one;
        // Order 1 and 2: y = ±1, where u·v is 0 and no square above. Order 4: y = 0. Order 8: the double has y = 0,
        // which is x² = −y², and so d·y⁴ + 2y² − 1 = 0.
        let double_has_no_y = d.mul(&y2).mul(&y2).add(&y2).add(&y2) == one;
        Some(is_point && y != zero && !double_has_no_y)
    };
    fit().unwrap_or(false)
}

const P256_PRIME: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
];
const P256_B: [u8; 32] = [
    0x5A, 0xC6, 0x35, 0xD8, 0xAA, 0x3A, 0x93, 0xE7, 0xB3, 0xEB, 0xBD, 0x55, 0x76, 0x98, 0x86, 0xBC, 0x65, 0x1D, 0x06,
    0xB0, 0xCC, 0x53, 0xB0, 0xF6, 0x3B, 0xCE, 0x3C, 0x3E, 0x27, 0xD2, 0x60, 0x4B,
];
const P384_PRIME: [u8; 48] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF,
];
const P384_B: [u8; 48] = [
    0xB3, 0x31, 0x2F, 0xA7, 0xE2, 0x3E, 0xE7, 0xE4, 0x98, 0x8E, 0x05, 0x6B, 0xE3, 0xF8, 0x2D, 0x19, 0x18, 0x1D, 0x9C,
    0x6E, 0xFE, 0x81, 0x41, 0x12, 0x03, 0x14, 0x08, 0x8F, 0x50, 0x13, 0x87, 0x5A, 0xC6, 0x56, 0x39, 0x8D, 0x8A, 0x2E,
    0xD1, 0x9D, 0x2A, 0x85, 0xC8, 0xED, 0xD3, 0xEC, 0x2A, 0xEF,
];
const P521_PRIME: [u8; 66] = [
    0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
];
const P521_B: [u8; 66] = [
    0x00, 0x51, 0x95, 0x3E, 0xB9, 0x61, 0x8E, 0x1C, 0x9A, 0x1F, 0x92, 0x9A, 0x21, 0xA0, 0xB6, 0x85, 0x40, 0xEE, 0xA2,
    0xDA, 0x72, 0x5B, 0x99, 0xB3, 0x15, 0xF3, 0xB8, 0xB4, 0x89, 0x91, 0x8E, 0xF1, 0x09, 0xE1, 0x56, 0x19, 0x39, 0x51,
    0xEC, 0x7E, 0x93, 0x7B, 0x16, 0x52, 0xC0, 0xBD, 0x3B, 0xB1, 0xBF, 0x07, 0x35, 0x73, 0xDF, 0x88, 0x3D, 0x2C, 0x34,
    0xF1, 0xEF, 0x45, 0x1F, 0xD4, 0x6B, 0x50, 0x3F, 0x00,
];
const ED25519_PRIME: [u8; 32] = [
    0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xED,
];
const ED25519_D: [u8; 32] = [
    0x52, 0x03, 0x6C, 0xEE, 0x2B, 0x6F, 0xFE, 0x73, 0x8C, 0xC7, 0x40, 0x79, 0x77, 0x79, 0xE8, 0x98, 0x00, 0x70, 0x0A,
    0x4D, 0x41, 0x41, 0xD8, 0xAB, 0x75, 0xEB, 0x4D, 0xCA, 0x13, 0x59, 0x78, 0xA3,
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::String, vec::Vec};
    use base64ct::{Base64UrlUnpadded, Encoding};

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().map(|digit| char::from(digit).to_digit(16).unwrap() as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// The base points (SP 800-186 §3.2.1), and for P-521, whose prime leaves room in its last octet, a second form.
    const BASE_POINTS: [(Curve, &str, &str); 3] = [
        (
            Curve::P256,
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ),
        (
            Curve::P384,
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        ),
        (
            Curve::P521,
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
            "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
        ),
    ];

    #[test]
    fn points_of_the_nist_curves_are_told_from_others() {
        for (curve, x, y) in BASE_POINTS {
            let (x, y) = (hex(x), hex(y));
            assert!(is_on_curve(curve, &x, &y), "{curve:?}");
            assert!(!is_on_curve(curve, &y, &x), "{curve:?}");
            for (other, ..) in BASE_POINTS {
                assert_eq!(is_on_curve(other, &x, &y), other == curve);
            }
            for place in 0..x.len() {
                let mut flipped = y.clone();
                flipped[place] ^= 1;
                assert!(!is_on_curve(curve, &x, &flipped), "{curve:?} {place}");
                let mut flipped = x.clone();
                flipped[place] ^= 1;
                assert!(!is_on_curve(curve, &flipped, &y), "{curve:?} {place}");
            }
            let zero = alloc::vec![0; x.len()];
            assert!(!is_on_curve(curve, &zero, &zero), "{curve:?}");
        }
    }

    #[test]
    fn a_coordinate_has_one_form() {
        let (curve, x, y) = BASE_POINTS[2];
        let (x, y) = (hex(x), hex(y));
        let plus_prime = |octets: &[u8]| {
            let sum = integer(octets).unwrap().wrapping_add(&integer(&P521_PRIME).unwrap());
            let text: String = alloc::format!("{sum:x}");
            hex(&text[text.len() - 132..])
        };
        assert!(is_on_curve(curve, &x, &y));
        assert!(!is_on_curve(curve, &plus_prime(&x), &y));
        assert!(!is_on_curve(curve, &x, &plus_prime(&y)));
    }

    #[test]
    fn points_of_edwards25519_are_told_from_others() {
        // RFC 8032 §7.1's public keys, RFC 8037 appendix A.2's among them.
        for fit in [
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            // The base point, and its negative: the same with the sign set.
            "5866666666666666666666666666666666666666666666666666666666666666",
            "58666666666666666666666666666666666666666666666666666666666666e6",
        ] {
            assert!(is_fit_for_ed25519(&hex(fit)), "{fit}");
        }
        // y = 2 is no point's.
        let mut none = [0; 32];
        none[0] = 2;
        assert!(!is_fit_for_ed25519(&none));
        assert!(!is_fit_for_ed25519(&Base64UrlUnpadded::decode_vec("11qYAYKxCrfVS_7TyWQHOg").unwrap()));
    }

    #[test]
    fn points_of_small_order_are_refused_in_every_encoding() {
        for small in [
            // The eight points, of order 1, 2, 4, 4 and four times 8.
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            // The same written otherwise: a sign on x = 0, and y not below the prime.
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ] {
            assert!(!is_fit_for_ed25519(&hex(small)), "{small}");
        }
    }

    #[test]
    fn a_key_of_ed25519_has_one_form() {
        // y = 3 and y = 4 are points'; so is what is written as y + p, in the bits that remain.
        for y in 0..19_u8 {
            let mut canonical = [0; 32];
            canonical[0] = y;
            let mut other = [0xFF; 32];
            other[0] = 0xED + y;
            other[31] = 0x7F;
            assert!(!is_fit_for_ed25519(&other), "{y}");
            if y == 3 || y == 4 {
                assert!(is_fit_for_ed25519(&canonical), "{y}");
            }
        }
    }
}

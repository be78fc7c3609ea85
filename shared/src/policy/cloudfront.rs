//! `[cloudfront]`: where a function at CloudFront gets its secrets, which has neither environment variables nor bindings; and
//! the header fields that no function there may set ("Restrictions on all edge functions": Disallowed headers).
//!
//! Asking Secrets Manager is the driver's; here stands whom, and for what.

use alloc::{borrow::ToOwned, format, string::String};

use super::{
    PolicyFault,
    compile::Faults,
    file::CloudFrontFile,
    origin::is_region,
    url::{self, Profile},
};

/// Fields that functions are not shown and must not add, besides all that begin as [`DISALLOWED_PREFIXES`] say.
pub const DISALLOWED: [&str; 25] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
];

/// What begins further disallowed fields.
pub const DISALLOWED_PREFIXES: [&str; 2] = ["x-amz-cf-", "x-edge-"];

/// Whether functions must not add a field of this name, which is in any case.
#[must_use]
pub fn is_disallowed(name: &str) -> bool {
    let begins_with = |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    DISALLOWED.iter().any(|own| name.eq_ignore_ascii_case(own)) || DISALLOWED_PREFIXES.iter().any(begins_with)
}

/// Where a function at CloudFront gets its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudFront {
    secret: String,
    region: String,
    url: String,
    decides_twice: bool,
}

impl CloudFront {
    /// The ARN of a secret of AWS Secrets Manager: a JSON object with a member for each secret that the policy names.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The region that the secret lies in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether behaviours have the function at both request events: at `viewer-request` it then leaves the caller's token to
    /// `origin-request`.
    #[must_use]
    pub const fn decides_twice(&self) -> bool {
        self.decides_twice
    }

    /// Scheme and host of the Secrets Manager that has it: the region's, or what a development overlay says.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

pub(super) fn compile(file: &CloudFrontFile, profile: Profile, faults: &mut Faults) -> Option<CloudFront> {
    if let Some(url) = &file.url
        && (profile == Profile::Deployed || !url::is_allowed(url, profile, false))
    {
        faults.add("cloudfront.url", PolicyFault::Url(url.clone()));
    }
    let Some(region) = region_of(&file.secret) else {
        faults.add("cloudfront.secret", PolicyFault::SecretArn);
        return None;
    };
    let url = file.url.clone().unwrap_or_else(|| format!("https://secretsmanager.{region}.amazonaws.com"));
    Some(CloudFront { secret: file.secret.clone(), region: region.to_owned(), url, decides_twice: file.decides_twice })
}

/// Longest name of a secret: 512 octets, and the hyphen and six that Secrets Manager puts behind it (`CreateSecret`).
const MOST_NAME_OCTETS: usize = 512 + 7;

/// The region in `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`. Only the partition `aws` has functions at CloudFront:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-restrictions.html>.
fn region_of(arn: &str) -> Option<&str> {
    let (region, rest) = arn.strip_prefix("arn:aws:secretsmanager:")?.split_once(':')?;
    let (account, name) = rest.split_once(":secret:")?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    // The characters of a secret's name, and none that a policy of IAM takes for "any".
    let is_name = !name.is_empty()
        && name.len() <= MOST_NAME_OCTETS
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte));
    (is_region(region) && is_account && is_name).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_of_a_secret_says_its_region() {
        let arn = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:postern-edge-AbCdEf";
        assert_eq!(region_of(arn), Some("eu-west-2"));
        for (from, to) in [
            ("arn:aws:", "arn:aws-cn:"),
            ("secretsmanager", "ssm"),
            ("eu-west-2", ""),
            ("eu-west-2", "127.0.0.1"),
            ("123456789012", "12345678901"),
            ("123456789012", ""),
            (":secret:", ":parameter:"),
            ("postern-edge-AbCdEf", ""),
            ("postern-edge-AbCdEf", "postern-*"),
            ("postern-edge-AbCdEf", "postern:edge"),
        ] {
            assert_eq!(region_of(&arn.replace(from, to)), None, "{from} → {to}");
        }
    }
}

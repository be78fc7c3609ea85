//! What a policy says of AWS: where a function at CloudFront gets its secrets, and how function URLs are called.

use postern::{
    Policy,
    policy::{AuthType, LineColumn, Origin, PolicyErrors, PolicyFault, from_toml},
};

use crate::support::policies::SMALL;

const ARN: &str = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:postern-edge-AbCdEf";
const FUNCTION: &str = "https://abc123.lambda-url.eu-west-2.on.aws";

/// The small policy with an origin at `url` and these lines more.
fn origin(url: &str, lines: &str) -> String {
    SMALL.replace("https://orders.example\"", &format!("{url}\"\n{lines}"))
}

fn cloudfront(secret: &str) -> String {
    format!("{SMALL}[cloudfront]\nsecret = \"{secret}\"\n")
}

/// The text has this one fault, at this pointer, on a line that begins so; what it says.
#[track_caller]
fn fault(text: &str, pointer: &str, fault: &PolicyFault, line: &str) -> String {
    let PolicyErrors(errors) = from_toml(text, None).expect_err("the policy was accepted");
    let [error] = errors.as_slice() else { panic!("not one fault: {errors:?}") };
    assert_eq!((error.pointer.as_str(), &error.fault), (pointer, fault), "{text}");
    let place = LineColumn::of(text, error.span.clone().unwrap().start);
    assert!(text.lines().nth(place.line - 1).unwrap().starts_with(line), "{text}");
    assert!(!error.fault.mend().is_empty());
    error.to_string()
}

fn only(policy: &Policy) -> &Origin {
    let [origin] = policy.origins() else { panic!("{policy:?}") };
    origin
}

#[test]
fn an_origin_says_who_may_invoke_it_and_for_which_region_to_sign() {
    let iam = "auth_type = \"AWS_IAM\"";
    for (url, lines, expected) in [
        ("https://orders.example", "", (None, None, None)),
        (FUNCTION, "", (None, Some("eu-west-2"), None)),
        (FUNCTION, "auth_type = \"NONE\"", (Some(AuthType::None), Some("eu-west-2"), None)),
        (FUNCTION, iam, (Some(AuthType::AwsIam), Some("eu-west-2"), None)),
        ("https://orders.example", iam, (Some(AuthType::AwsIam), None, None)),
        (
            FUNCTION,
            "auth_type = \"AWS_IAM\"\ncredentials = \"AWS_ORDERS\"",
            (Some(AuthType::AwsIam), Some("eu-west-2"), Some("AWS_ORDERS")),
        ),
        (
            "https://orders.example",
            "auth_type = \"AWS_IAM\"\nregion = \"us-east-1\"\ncredentials = \"AWS_ORDERS\"",
            (Some(AuthType::AwsIam), Some("us-east-1"), Some("AWS_ORDERS")),
        ),
        (
            FUNCTION,
            "auth_type = \"AWS_IAM\"\nregion = \"eu-west-2\"",
            (Some(AuthType::AwsIam), Some("eu-west-2"), None),
        ),
    ] {
        let policy = from_toml(&origin(url, lines), None).unwrap();
        for policy in [&policy, &Policy::from_json(policy.to_json()).unwrap()] {
            let own = only(policy);
            assert_eq!((own.auth_type(), own.region(), own.credentials()), expected, "{url} {lines}");
            assert_eq!(own.is_function_url(), url == FUNCTION);
        }
    }
}

#[test]
fn what_an_origin_says_of_signing_must_hold_together() {
    let owned = str::to_owned;
    for (url, lines, member, expected) in [
        (FUNCTION, "auth_type = \"aws_iam\"", "auth_type", PolicyFault::AuthType(owned("aws_iam"))),
        (FUNCTION, "auth_type = \"IAM\"\ncredentials = \"A\"", "auth_type", PolicyFault::AuthType(owned("IAM"))),
        (FUNCTION, "credentials = \"A\"", "credentials", PolicyFault::WithoutAwsIam("credentials")),
        (FUNCTION, "region = \"eu-west-2\"", "region", PolicyFault::WithoutAwsIam("region")),
        (
            FUNCTION,
            "auth_type = \"NONE\"\ncredentials = \"A\"",
            "credentials",
            PolicyFault::WithoutAwsIam("credentials"),
        ),
        (
            FUNCTION,
            "auth_type = \"AWS_IAM\"\nregion = \"us-east-1\"",
            "region",
            PolicyFault::RegionDiffers(owned("eu-west-2")),
        ),
        (
            "https://orders.example",
            "auth_type = \"AWS_IAM\"\nregion = \"London\"",
            "region",
            PolicyFault::Region(owned("London")),
        ),
        (
            FUNCTION,
            "auth_type = \"AWS_IAM\"\ncredentials = \"KEY_ORDERS\"",
            "credentials",
            PolicyFault::CredentialsShared(owned("origin.orders.key")),
        ),
    ] {
        fault(&origin(url, lines), &format!("origin.orders.{member}"), &expected, member);
    }
    let nowhere = origin("https://orders.example", "auth_type = \"AWS_IAM\"\ncredentials = \"A\"");
    fault(&nowhere, "origin.orders", &PolicyFault::NoRegion, "[origin.orders]");
    let log = origin(FUNCTION, "auth_type = \"AWS_IAM\"\ncredentials = \"LOG\"") + "[log]\nsubject_key = \"LOG\"\n";
    let shared = PolicyFault::CredentialsShared(owned("log.subject_key"));
    fault(&log, "origin.orders.credentials", &shared, "credentials");
}

#[test]
fn an_edge_that_signs_by_itself_needs_something_to_sign_with() {
    for (lines, wants, does) in [
        ("", false, true),
        ("auth_type = \"NONE\"", false, true),
        ("auth_type = \"AWS_IAM\"", true, false),
        ("auth_type = \"AWS_IAM\"\ncredentials = \"AWS_ORDERS\"", true, true),
    ] {
        let policy = from_toml(&origin(FUNCTION, lines), None).unwrap();
        assert_eq!((policy.wants_signatures(), policy.check_credentials().is_ok()), (wants, does), "{lines}");
    }
    let text = origin(FUNCTION, "auth_type = \"AWS_IAM\"");
    let errors = from_toml(&text, None).unwrap().check_credentials().unwrap_err().located_in(&text);
    let [error] = errors.0.as_slice() else { panic!("{errors}") };
    assert_eq!((error.pointer.as_str(), &error.fault), ("origin.orders.auth_type", &PolicyFault::NoCredentials));
    assert_eq!(error.span.clone().map(|span| &text[span]), Some("\"AWS_IAM\""));
}

#[test]
fn an_access_key_in_the_place_of_its_name_is_not_repeated() {
    let written = r#"{\"access_key_id\":\"x\"}"#;
    let text = origin(FUNCTION, &format!("auth_type = \"AWS_IAM\"\ncredentials = \"{written}\""));
    let said = fault(&text, "origin.orders.credentials", &PolicyFault::KeyName, "credentials");
    assert!(!said.contains("access_key_id"), "{said}");
}

#[test]
fn a_function_at_cloudfront_gets_its_secrets_from_the_region_of_their_arn() {
    assert!(from_toml(SMALL, None).unwrap().cloudfront().is_none());
    let policy = from_toml(&cloudfront(ARN), None).unwrap();
    for policy in [&policy, &Policy::from_json(policy.to_json()).unwrap()] {
        let own = policy.cloudfront().unwrap();
        assert_eq!((own.secret(), own.region()), (ARN, "eu-west-2"));
        assert_eq!(own.url(), "https://secretsmanager.eu-west-2.amazonaws.com");
    }
}

#[test]
fn what_is_no_arn_of_a_secret_is_a_fault_and_is_not_repeated() {
    for secret in ["", "postern-edge", "arn:aws:ssm:eu-west-2:123456789012:parameter/x", &ARN.replace("AbCdEf", "*")] {
        let text = cloudfront(secret);
        let said = fault(&text, "cloudfront.secret", &PolicyFault::SecretArn, "secret");
        assert!(secret.is_empty() || !said.contains(secret), "{said}");
        assert!(!PolicyFault::SecretArn.shows_source());
    }
    let url = format!("{}url = \"https://secretsmanager.example\"\n", cloudfront(ARN));
    fault(&url, "cloudfront.url", &PolicyFault::UnknownMember("url".into(), "`[cloudfront]`", None), "url");
    let json =
        from_toml(&cloudfront(ARN), None).unwrap().to_json().replace(ARN, &format!("{ARN}\",\"url\":\"https://x"));
    assert_eq!(Policy::from_json(&json).unwrap_err().0[0].fault, PolicyFault::Url("https://x".into()));
}

#[test]
fn an_overlay_says_where_secrets_manager_is_and_leaves_the_region_that_a_host_said() {
    let text = cloudfront(ARN).replace(
        "https://orders.example\"",
        &format!("{FUNCTION}\"\nauth_type = \"AWS_IAM\"\ncredentials = \"AWS_ORDERS\""),
    );
    let overlay = "[cloudfront]\nurl = \"http://127.0.0.1:4020\"\n[origin.orders]\nurl = \"http://127.0.0.1:4010\"";
    let policy = from_toml(&text, Some(overlay)).unwrap();
    for policy in [&policy, &Policy::from_json(policy.to_json()).unwrap()] {
        let own = policy.cloudfront().unwrap();
        assert_eq!((own.secret(), own.region(), own.url()), (ARN, "eu-west-2", "http://127.0.0.1:4020"));
        assert_eq!((only(policy).url(), only(policy).region()), ("http://127.0.0.1:4010", Some("eu-west-2")));
    }
    let errors = from_toml(SMALL, Some("[cloudfront]\nurl = \"http://127.0.0.1:1\"")).unwrap_err();
    assert_eq!(errors.0[0].fault, PolicyFault::OverlayUnknown("cloudfront".into()));
    for url in ["http://secretsmanager.example", "http://127.0.0.1:1/base"] {
        let errors = from_toml(&text, Some(&format!("[cloudfront]\nurl = \"{url}\""))).unwrap_err();
        assert_eq!((errors.0.len(), &errors.0[0].fault), (1, &PolicyFault::Url(url.into())), "{errors}");
        assert_eq!(errors.0[0].pointer, "overlay.cloudfront.url");
    }
}

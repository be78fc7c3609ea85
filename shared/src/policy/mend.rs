//! How to put right what is wrong with a policy, in one clause for each fault.

use alloc::{format, string::String, vec::Vec};

use super::{PolicyFault, Preset};
use crate::algorithm::Algorithm;

impl PolicyFault {
    /// How to put it right, as a clause that an author can act on.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::Syntax(_) => "correct the entry as the message says".into(),
            Self::UnknownMember(_, _, Some(near)) => format!("write `{near}`"),
            Self::UnknownMember(_, _, None) => "remove it".into(),
            Self::MissingMember(name, _) => format!("add `{name} = …`"),
            Self::MemberType(expected) => format!("write {expected}"),
            Self::Stamp => "remove it: a development overlay stamps what it is laid over".into(),
            Self::Secret(_) => {
                "remove it, keep it with the platform's secrets under a name, and take it out of use if others may have seen it"
                    .into()
            }
            Self::UnknownName(kind, _, Some(near)) => format!("write `{near}`, or define the {kind}"),
            Self::UnknownName(kind, _, None) => format!("define the {kind}, or correct the name"),
            Self::DuplicateName(..) => "rename or remove one of the two".into(),
            Self::Url(_) => {
                "write an `https://` URL without query or fragment; loopback `http://` takes a development overlay"
                    .into()
            }
            Self::Duration(_) => "write a whole number and a unit, such as \"30s\"".into(),
            Self::TooLong(_, max) => format!("write at most \"{}s\"", max.as_secs()),
            Self::ZeroLimit => "write how long, or remove the limit".into(),
            Self::Algorithm(_) => {
                let names: Vec<&str> = Algorithm::ALL.into_iter().map(Algorithm::name).collect();
                format!("use what the issuer signs with, of {}", names.join(", "))
            }
            Self::AlgorithmUnavailable(..) => {
                "have the issuer sign with another algorithm, or build for another host".into()
            }
            Self::Preset(_) => {
                let names: Vec<&str> = Preset::ALL.into_iter().map(Preset::name).collect();
                format!("use one of {}, or leave it out", names.join(", "))
            }
            Self::PresetUrl(_, expected) => {
                format!("write the `iss` of the tokens, which looks like {expected}, or leave `preset` out")
            }
            Self::RequiredForm(_) => "write `true`, a value, or a list of values of which one must be there".into(),
            Self::Empty(what) => format!("name at least one {what}"),
            Self::NoAudience => {
                "add `audience = [\"…\"]` with the API's name in `aud`, or `clients = [\"…\"]`; `audience = \"any\"` alone \
                 accepts any caller"
                    .into()
            }
            Self::NoAudienceOfApi => {
                "add `audience = [\"…\"]` with the API's identifier, or `token_type = \"at+jwt\"` if its tokens say so"
                    .into()
            }
            Self::AudienceUnsaid(default) => format!(
                "add `audience = [\"…\"]` with the `aud` of this API's tokens ({}), or `audience = \"any\"` to accept tokens \
                 for every API of the issuer",
                default.map_or_else(
                    || "`postern inspect` shows that of a token".into(),
                    |default| format!("by default {default}")
                )
            ),
            Self::TextForm(_) => {
                "write \"text\" for one name, \"spaces\" or \"commas\" for names between these, or \"json\" for an array as JSON \
                 text"
                    .into()
            }
            Self::AudienceForm(_) => {
                "write a list, as in `audience = [\"https://api.example\"]`, or \"any\" for any audience".into()
            }
            Self::AudienceIsClient(_) => {
                "name the API's own identifier: an ID token's `aud` is the client".into()
            }
            Self::NoTokenKind => {
                "add a `preset`, `token_type = \"at+jwt\"` (RFC 9068), `token_use = \"access\"` (Cognito), or `require` \
                 with a claim that only access tokens have"
                    .into()
            }
            Self::PermissionsSource(_) => "write \"service\", \"claims\" or \"subject\"".into(),
            Self::NoPermissionsService => {
                "add a `[permissions]` table with the `origin` of the permissions service".into()
            }
            Self::IssuersOverlap(_) => "give the two disjoint `clients`, or disjoint `audience`s".into(),
            Self::IssuerKeysDiffer(_) => "give both the same `jwks_url`".into(),
            Self::IssuerStalenessDiffers(_) => "give both the same `jwks_max_stale`".into(),
            Self::SharedKey(_) => {
                "give each origin a key of its own: an origin could otherwise mint assertions for the other".into()
            }
            Self::KeyName => {
                "use upper-case letters, digits and `_`: the name of the secret, never the secret itself".into()
            }
            Self::Verifies(_) => "write \"assertion\" or \"token\"".into(),
            Self::OriginPaths(_) => "write \"folded\", or \"exact\" if the origin folds no path".into(),
            Self::KeyUnused => "remove it, or write `verifies = \"assertion\"`".into(),
            Self::WithoutAssertion("origin", _) => {
                "name an origin with `verifies = \"assertion\"` and a `key` of its own".into()
            }
            Self::WithoutAssertion(..) => {
                "remove it, or let the origin say `verifies = \"assertion\"` and name a `key`".into()
            }
            Self::AuthType(_) => "write \"AWS_IAM\", or \"NONE\" if anyone may invoke it".into(),
            Self::WithoutAwsIam(_) => "remove it, or add `auth_type = \"AWS_IAM\"`".into(),
            Self::NoRegion => "add `region = \"…\"`".into(),
            Self::Region(_) => "write it as AWS names it, such as \"eu-west-2\"".into(),
            Self::RegionDiffers(_) => "remove it: the host says it".into(),
            Self::CredentialsShared(_) => {
                "name a secret of its own, with an access key that may invoke this origin and do nothing else".into()
            }
            Self::NoCredentials => "add `credentials = \"…\"`, the name of the secret with an access key".into(),
            Self::SecretArn => {
                "write `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`, and never the secret itself".into()
            }
            Self::Limit(_, max) => format!("write a number from 1 to {max}"),
            Self::Share(_) => "write a number from 0 for none to 1 for all".into(),
            Self::BodyRule(_) => "write \"streamed\", \"declared\" or \"buffered\"".into(),
            Self::HeaderName(_) => {
                "use a name of your own in lower case, such as \"x-user-email\", that no server takes for its own".into()
            }
            Self::TokenRule => "write \"forwarded\", or leave `token` out to keep the token at the edge".into(),
            Self::TokenReplaced => "remove `token`: the origin has the assertion to go by".into(),
            Self::TokenOfRoute => "remove it: the section of the origin says whether it gets the tokens of callers".into(),
            Self::TokenNotTaken => "write `token = \"forwarded\"` in the section of the origin too, or remove it here".into(),
            Self::RequestHeader(_) => {
                "list only names that have another character than letters, digits and `-` (`legacy_id`); those that fold to a \
                 field of HTTP, of a platform or of a proxy never reach an origin"
                    .into()
            }
            Self::StaleWithoutAge => "remove it, or let `permissions_max_age` be more than \"0s\"".into(),
            Self::NoOrigin => "add `origin = \"…\"`, or one to `[defaults]`".into(),
            Self::CompanyNotSubject(_) => {
                "name where the company stands, or use an issuer whose `permissions` is \"subject\"".into()
            }
            Self::Method(_) => {
                "write an upper-case method such as \"GET\"; HEAD follows GET, preflights are answered from `[cors]`"
                    .into()
            }
            Self::Path(_) => "write literal and `{parameter}` segments in canonical form, each parameter once, a `{*rest}` only as the last"
                    .into(),
            Self::NoIssuer => "add `issuer = \"…\"`, or `public = true` if anyone may call it".into(),
            Self::PublicWithRule(_) => "remove the rule, or remove `public = true`".into(),
            Self::UnboundCompany(name, false) => {
                format!(
                    "add `company = \"{{{name}}}\"`, or `company = \"any\"` if every caller may reach every company"
                )
            }
            Self::UnboundCompany(name, true) => {
                format!(
                    "add `unbound = [\"{name}\"]` if it names a resource of the company or the user that the route binds, \
                     `company = \"{{{name}}}\"` if it is the caller's company, or `company = \"any\"` if every caller may reach every company"
                )
            }
            Self::FieldName(_) => "write `Type.field`, as in `Query.order`".into(),
            Self::NestedArgument(_) => {
                "bind the company at the field of `Query`, `Mutation` or `Subscription` through which it is reached".into()
            }
            Self::UndefinedParameter(_) => "use a parameter of the route's path".into(),
            Self::RuleForm(..) => "name one path parameter, as in \"{company}\", or write \"any\"".into(),
            Self::RolesWithoutCompany => "add `company = \"{company}\"`: roles are held per company".into(),
            Self::RolesUnobtainable(_) => {
                "remove `roles`, or use an issuer whose `permissions` is \"service\" or \"claims\"".into()
            }
            Self::MaxAgeUnused => {
                "remove it: this route's issuer does not use the permissions service, or no company is checked".into()
            }
            Self::UnboundSubject(name, false) => {
                format!("add `subject = \"{{{name}}}\"`, or `subject = \"any\"` if it may be somebody else")
            }
            Self::UnboundSubject(name, true) => {
                format!(
                    "add `subject = \"{{{name}}}\"` if it is the caller, `unbound = [\"{name}\"]` if it may be any user of the \
                     company that the route binds, or `subject = \"any\"` if it may be any user"
                )
            }
            Self::BoundParameter(_) => "remove it from `unbound`, or remove the rule".into(),
            Self::UnboundOfNobody(_) => {
                "bind the company or the user whose resource it is, or write `company = \"any\"` or `subject = \"any\"`".into()
            }
            Self::ParameterName(_) => {
                "write it without braces: a small letter, and then letters, digits and `_`, as in \"merchant\"".into()
            }
            Self::NameKnown(..) => "remove it".into(),
            Self::RestBound(_) => "bind a parameter of one segment, as in `/{name}/{*rest}`".into(),
            Self::SameParameter(_) => "remove `subject`: for a caller that is a company, `company` says it".into(),
            Self::Scope(_) => "write one scope, without spaces and quotes".into(),
            Self::ScopeAskedTwice(_) => "remove it from `any_of`, or from `all_of`".into(),
            Self::Repeated(..) => "remove one of the two".into(),
            Self::FieldIsHanded(_) => "take the company from another field, or hand the claim in another".into(),
            Self::NeverDecides(_) => "remove it, or one of the routes that take its place".into(),
            Self::PathTooLong(limit) => format!("shorten it, or raise `max_target_bytes` over {limit}"),
            Self::Unused("default", name) => format!("remove it: every route says `{name}` itself, or has no use for it"),
            Self::Unused(kind, _) => format!("remove the {kind}, or name it in a route"),
            Self::PermissionsUnused => {
                "remove the table, or let an issuer say `permissions = \"service\"`".into()
            }
            Self::SubjectKeyShared(_) => {
                "name a secret of its own: the origin could otherwise tell whom the log is about".into()
            }
            Self::Ambiguous(_) => "make one of the two more specific, or give them different methods".into(),
            Self::RoutesTooEntangled(_) => {
                "write literals first and parameters after them, or split the policy between two edges".into()
            }
            Self::CorsOrigin(_) => {
                "write scheme, host and port alone, such as \"https://app.example\"; `*` only without `credentials`"
                    .into()
            }
            Self::Test(fault) => fault.mend(),
            Self::OverlayUnknown(_) => "an overlay only replaces URLs of what the policy defines".into(),
        }
    }
}

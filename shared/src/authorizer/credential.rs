//! Whose token it may be, and, once its signature holds, whose it is (RFC 7519 §4.1, RFC 9068 §4).

use alloc::{borrow::Cow, format, string::String, sync::Arc, vec::Vec};
use core::{fmt, time::Duration};

use super::unread::{KeptClaim, Unread};
use crate::{
    algorithm::Algorithm,
    claims::{ClaimPath, Claims, Date, MAX_SUBJECT_BYTES, WrongType},
    json::{self, Json},
    names::{self, Ambiguous},
    permissions::PermissionsRecord,
    policy::{Issuer, PermissionsSource, Policy, RequiredClaim, TextForm},
    purpose::Purpose,
    reason::Reason,
    time::UnixTime,
    token::UnverifiedToken,
};

/// An access token of which everything was checked that does not depend on the request.
pub struct VerifiedToken {
    /// Index of the issuer section.
    pub(crate) issuer: usize,
    pub(crate) subject: Arc<str>,
    pub(crate) scopes: Arc<[String]>,
    /// Companies and roles, where they do not come from the permissions service.
    pub(crate) permissions: Option<PermissionsRecord>,
    /// Which of scopes, companies and roles are not read, and so have no names here.
    pub(crate) unread: Unread,
    /// What the section's routes look at or hand on; absent claims are absent here too.
    pub(super) claims: Vec<(ClaimPath, KeptClaim)>,
    /// `exp`, or the end of the age that the section allows, if that is sooner.
    pub(super) expires_at: UnixTime,
}

/// Whose it is stays out of debug output: it ends in logs.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("VerifiedToken").finish_non_exhaustive()
    }
}

impl VerifiedToken {
    /// What it takes of memory, in octets and roughly: shared lists are counted in full.
    pub(crate) fn octets(&self) -> usize {
        let permissions = self.permissions.as_ref().map_or(0, PermissionsRecord::octets);
        let claims = self.claims.iter().map(|(path, claim)| {
            let value = claim.value().map_or(0, json::octets);
            json::octets_of(path.names()).saturating_add(value).saturating_add(size_of::<(ClaimPath, KeptClaim)>())
        });
        [size_of::<Self>(), self.subject.len(), json::octets_of(&self.scopes), permissions]
            .into_iter()
            .chain(claims)
            .fold(0, usize::saturating_add)
    }

    /// "On or after" `exp` a token is expired (RFC 7519 §4.1.4).
    pub(crate) fn is_expired(&self, now: UnixTime) -> bool {
        now >= self.expires_at
    }

    /// A claim that some route of the section looks at or hands on.
    pub(super) fn claim(&self, path: &ClaimPath) -> Option<&KeptClaim> {
        self.claims.iter().find(|(own, _)| own == path).map(|(_, claim)| claim)
    }

    /// The same, of a claim at the top.
    pub(super) fn claim_at_top(&self, name: &str) -> Option<&KeptClaim> {
        self.claims.iter().find(|(own, _)| own.is_top(name)).map(|(_, claim)| claim)
    }
}

/// The issuer sections that a token may be of.
#[derive(Clone)]
pub(super) enum Candidates {
    /// Any.
    All,
    /// Those that have the URL of one of them, and allow the token's algorithm.
    Of {
        /// Among these sections; `None`: among all.
        among: Option<Arc<[usize]>>,
        /// The one whose keys to use.
        first: usize,
        algorithm: Algorithm,
    },
}

impl Candidates {
    /// Those of the issuer sections `among`, or of all, that the token may belong to, all of one URL, and the one whose
    /// keys to use.
    ///
    /// Where the sections have one URL, the claims stay unread until the signature holds.
    pub(super) fn of<'a>(
        policy: &'a Policy,
        among: Option<&Arc<[usize]>>,
        token: &UnverifiedToken,
    ) -> Result<(&'a Issuer, Self), Reason> {
        let sections = || {
            let places = 0..among.map_or(policy.issuers.len(), |among| among.len());
            places.filter_map(|place| {
                let index = among.map_or(Some(place), |among| among.get(place).copied())?;
                Some((index, policy.issuers.get(index)?))
            })
        };
        let first = sections().next().ok_or(Reason::IssuerUnknown)?.1;
        let of_one_url = sections().all(|(_, issuer)| issuer.url == first.url);
        let claimed: Cow<'_, str> =
            if of_one_url { first.url.as_str().into() } else { token.peek_issuer().map_err(Reason::Token)?.into() };
        let mut matching = sections().filter(|(_, issuer)| issuer.url == claimed).peekable();
        if matching.peek().is_none() {
            return Err(Reason::IssuerUnknown);
        }
        let algorithm = token.algorithm();
        let (first, issuer) =
            matching.find(|(_, issuer)| issuer.algorithms.contains(&algorithm)).ok_or(Reason::AlgorithmNotAllowed)?;
        Ok((issuer, Self::Of { among: among.cloned(), first, algorithm }))
    }

    /// Whether the section at `index` is one of them.
    fn contains(&self, policy: &Policy, index: usize) -> bool {
        let Self::Of { among, first, algorithm } = self else { return true };
        let is_among = among.as_ref().is_none_or(|among| among.contains(&index));
        is_among
            && policy.issuers.get(index).is_some_and(|issuer| {
                issuer.algorithms.contains(algorithm)
                    && policy.issuers.get(*first).is_some_and(|first| first.url == issuer.url)
            })
    }

    /// Whether one of them has this URL.
    fn have_url(&self, policy: &Policy, url: &str) -> bool {
        match self {
            Self::All => policy.issuers.iter().any(|issuer| issuer.url == url),
            Self::Of { first, .. } => policy.issuers.get(*first).is_some_and(|first| first.url == url),
        }
    }
}

/// Judges the claims of a token whose signature has just been found valid.
pub(super) fn verify(
    (policy, purpose): (&Policy, Purpose),
    candidates: &Candidates,
    token: &UnverifiedToken,
    like: Option<&VerifiedToken>,
    now: UnixTime,
) -> Result<VerifiedToken, Reason> {
    let claims = token.claims_after_signature().ok_or(Reason::ClaimsMalformed)?;
    judge((policy, purpose), candidates, Some(token), &claims, like, now)
}

/// The caller's section, and what the claims say by its rules. Without a token, somebody else has checked its signature
/// and kept its header: a section that looks at the header then takes nobody.
pub(super) fn judge(
    (policy, purpose): (&Policy, Purpose),
    candidates: &Candidates,
    token: Option<&UnverifiedToken>,
    claims: &Claims<'_>,
    like: Option<&VerifiedToken>,
    now: UnixTime,
) -> Result<VerifiedToken, Reason> {
    let url = claims.string("iss")?.ok_or(Reason::IssuerMismatch)?;
    if !candidates.have_url(policy, url) {
        return Err(Reason::IssuerMismatch);
    }
    // Every section of the URL is asked, not only the route's: whose token it is must not depend on the route it is
    // shown at first, which the cache of verified tokens would remember.
    let (mut accepting, mut is_ambiguous) = (None, false);
    for (index, issuer) in policy.issuers.iter().enumerate().filter(|(_, issuer)| issuer.url == url) {
        let signs = token.is_none_or(|token| issuer.algorithms.contains(&token.algorithm()));
        if signs && accepts_audience(issuer, claims)? {
            is_ambiguous = accepting.replace((index, issuer)).is_some() || is_ambiguous;
        }
    }
    let (index, issuer) = match accepting {
        _ if is_ambiguous => return Err(Reason::IssuerAmbiguous),
        Some(one) if candidates.contains(policy, one.0) => one,
        _ => return Err(Reason::AudienceMismatch),
    };
    check_kind(issuer, token.and_then(UnverifiedToken::token_type), claims)?;
    let expires_at = check_dates(claims, issuer, now)?;
    let subject = subject(claims, issuer)?;
    let mut unread = Unread::default();
    let permissions = match issuer.permissions {
        PermissionsSource::Service => None,
        PermissionsSource::Subject => Some(PermissionsRecord::from_subject(Arc::clone(&subject))),
        PermissionsSource::Claims => {
            let (paths, forms) = (&issuer.claims, issuer.claims.forms);
            let (companies, no_companies) = listed(claims.at(&paths.companies), forms.companies);
            let (roles, no_roles) = listed(claims.at(&paths.roles), forms.roles);
            let record = PermissionsRecord::from_json_claims(
                Arc::clone(&subject),
                companies.as_deref(),
                roles.as_deref(),
                like.and_then(|like| like.permissions.as_ref()),
            );
            let (record, over) = record.map_err(|_| Reason::ClaimsMalformed)?;
            unread.companies = no_companies.map(|Ambiguous| Reason::CompaniesAmbiguous).or(over.companies);
            unread.roles = no_roles.map(|Ambiguous| Reason::RolesAmbiguous).or(over.roles);
            Some(record)
        }
    };
    let scopes = claims.scopes_at(&issuer.claims.scopes, issuer.claims.scopes_form, like.map(|like| &like.scopes))?;
    unread.scopes = scopes.as_ref().err().copied();
    let kept = issuer.kept.of(purpose).iter().filter_map(|path| {
        let claim = KeptClaim::of(path, claims.at(path)?, &issuer.claims, unread);
        Some((path.clone(), claim))
    });
    Ok(VerifiedToken {
        issuer: index,
        subject,
        scopes: scopes.unwrap_or_default(),
        permissions,
        unread,
        claims: kept.collect(),
        expires_at,
    })
}

/// The claim with its names listed; without names where it is ambiguous.
fn listed<'j>(claim: Option<&'j Json<'_>>, form: Option<TextForm>) -> (Option<Cow<'j, Json<'j>>>, Option<Ambiguous>) {
    match claim.map(|claim| names::listed(claim, form)).transpose() {
        Ok(claim) => (claim, None),
        Err(ambiguous) => (Some(Cow::Owned(Json::Array(Vec::new()))), Some(ambiguous)),
    }
}

/// Whether the section's rules on `aud` and on the client hold; a section without either does not build.
fn accepts_audience(issuer: &Issuer, claims: &Claims<'_>) -> Result<bool, WrongType> {
    let audience = claims.audience()?;
    let mut client = None;
    for path in &issuer.claims.client {
        client = client.or(claims.string_at(path)?);
    }
    let client_fits =
        issuer.clients.is_empty() || client.is_some_and(|client| issuer.clients.iter().any(|own| own == client));
    Ok(issuer.audience.accepts(audience.as_deref()) && client_fits)
}

/// An ID token is signed by the same key for the same client; only these tell it apart. Whatever else the section
/// requires is asked here too.
fn check_kind(issuer: &Issuer, token_type: Option<&str>, claims: &Claims<'_>) -> Result<(), Reason> {
    let token_use = claims.string("token_use")?;
    if issuer.token_use.as_deref().is_some_and(|wanted| token_use != Some(wanted)) {
        return Err(Reason::NotAnAccessToken);
    }
    if issuer.token_type.as_deref().is_some_and(|wanted| token_type.map(media_type) != Some(media_type(wanted))) {
        return Err(Reason::NotAnAccessToken);
    }
    // RFC 7800 §3.1: whoever presents the token must prove possession of a key. Nothing here checks that (RFC 9449, RFC
    // 8705), and a bound token that is accepted without it is worth no more to its owner than to a thief. A `null` has no
    // meaning there, so it is refused like any other value.
    if claims.get("cnf").is_some() {
        return Err(Reason::SenderConstrained);
    }
    let held = |required: &RequiredClaim| required.holds(claims.get(&required.name).map(Json::to_value).as_ref());
    if issuer.required.iter().all(held) { Ok(()) } else { Err(Reason::ClaimMismatch) }
}

/// A `typ` as the media type that it names (RFC 7515 §4.1.9): case is ignored, and a value without a `/` is read with
/// `application/` before it.
fn media_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    if lower.contains('/') { lower } else { format!("application/{lower}") }
}

/// Returns when the token becomes unusable, if that is later than now and neither `nbf` nor `iat` is.
///
/// The section's leeway forgives a fast clock to `nbf` and `iat`. `exp` ends the token, or its age where the section
/// limits that: at an age of exactly `max_age` it has ended, as it has at exactly `exp`. A fraction of a second never
/// helps: `exp` is rounded down, and so is `iat` where a life or an age is counted from it; where the token must wait for
/// `nbf` or `iat`, they are rounded up.
fn check_dates(claims: &Claims<'_>, issuer: &Issuer, now: UnixTime) -> Result<UnixTime, Reason> {
    let time = |seconds: i64| UnixTime::from_secs(u64::try_from(seconds).unwrap_or(0));
    let expires_at = time(claims.expiration.ok_or(Reason::ExpirationMissing)?.floor);
    if now >= expires_at {
        return Err(Reason::Expired);
    }
    let latest = now.saturating_add(issuer.leeway);
    let lies_ahead = |date: Option<Date>| date.is_some_and(|date| time(date.ceiling) > latest);
    if lies_ahead(claims.not_before) {
        return Err(Reason::NotYetValid);
    }
    if lies_ahead(claims.issued_at) {
        return Err(Reason::IssuedInFuture);
    }
    let issued_at = claims.issued_at.map(|date| time(date.floor));
    let from_issue = |limit: Duration| issued_at.map(|at| at.saturating_add(limit)).ok_or(Reason::IssuedAtMissing);
    if let Some(limit) = issuer.max_lifetime
        && expires_at > from_issue(limit)?
    {
        return Err(Reason::LifetimeTooLong);
    }
    let Some(limit) = issuer.max_age else { return Ok(expires_at) };
    let too_old_at = from_issue(limit)?;
    if now >= too_old_at { Err(Reason::IssuedTooLongAgo) } else { Ok(expires_at.min(too_old_at)) }
}

fn subject(claims: &Claims<'_>, issuer: &Issuer) -> Result<Arc<str>, Reason> {
    let subject = claims.string_at(&issuer.claims.subject)?.ok_or(Reason::SubjectUnusable)?;
    let usable = !subject.is_empty() && subject.len() <= MAX_SUBJECT_BYTES && !subject.chars().any(char::is_control);
    if usable { Ok(subject.into()) } else { Err(Reason::SubjectUnusable) }
}

impl From<WrongType> for Reason {
    fn from(_: WrongType) -> Self {
        Self::ClaimsMalformed
    }
}

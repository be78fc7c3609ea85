//! A text with a separator is read as companies or roles only in the form that the section names.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written, written::Table};

pub(super) const CHANGE: Change = Change {
    code: "claim_texts",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a text with a space, a comma or a leading `[`, `{` or `\"` in the claim of companies or roles is refused with \
              `companies_ambiguous` or `roles_ambiguous` until the section names its `form`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.a]\npermissions = \"claims\"\n[issuer.b]\npermissions = \"claims\"\nclaims.roles.form = \"text\"\n\
                    claims.companies = \"org_name\"\n",
        pointers: &["issuer.a", "issuer.b.claims"],
        unconcerned: "[issuer.a]\npermissions = \"service\"\n[issuer.b]\npermissions = \"claims\"\n\
                      claims = { roles.form = \"text\", companies.form = \"json\" }\n",
    },
};

/// The sections that read companies and roles in claims.
pub(super) fn readers<'a>(written: &Written<'a>) -> impl Iterator<Item = Table<'a>> {
    written.issuers().into_iter().filter(|issuer| issuer.text("permissions") == Some("claims"))
}

fn places(written: &Written<'_>) -> Vec<Place> {
    let has_form = |issuer: &Table<'_>, claim: &str| {
        issuer.get("claims").and_then(|claims| claims.get(claim)?.get("form")).is_some()
    };
    let place = |issuer: Table<'_>| {
        Place {
        pointer: if issuer.get("claims").is_some() { issuer.at("claims") } else { issuer.pointer },
        old: "a text of companies is split at spaces, or read as a JSON array; a text of roles is one role".to_owned(),
        new: "a text with a separator is refused where a rule needs it; only Cognito's own `companies` are still read as JSON"
            .to_owned(),
        help: "nothing, if the tokens have arrays or names without separators; otherwise name the form, as in \
               `claims.companies = { claim = \"…\", form = \"spaces\" }`"
            .to_owned(),
    }
    };
    let concerned = readers(written).filter(|own| !has_form(own, "companies") || !has_form(own, "roles"));
    concerned.map(place).collect()
}

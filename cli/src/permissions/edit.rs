//! One record at a time: `get`, `set`, `revoke`, and all of them, `list`.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};
use postern::PermissionsRecord;
use serde_json::{Value, json};

use super::{
    records::{self, Companies},
    service::{Service, Unwritten, Written},
};
use crate::{
    exit::Outcome,
    inspect::utc,
    output::{self, Format, shown, table},
};

/// `postern permissions get`.
pub(super) fn get(service: &Service, user: &str, history: bool, format: Format) -> anyhow::Result<Outcome> {
    let found = if history { service.history(user)? } else { service.get(user)?.map(|stored| stored.json) };
    let Some(found) = found else {
        if format == Format::Json {
            output::print_json(&Value::Null)?;
        } else {
            output::complain(&format!("there is no record of `{}`\n", shown(user)));
        }
        return Ok(Outcome::No);
    };
    match (format, history) {
        (Format::Json, _) => output::print_json(&found)?,
        (Format::Text, true) => output::print(&changes(&found))?,
        (Format::Text, false) => {
            let record = PermissionsRecord::parse(found.to_string().as_bytes())?;
            let rows: Vec<[String; 2]> =
                record.companies().map(|(company, roles)| [shown(company), shown(&roles.join(", "))]).collect();
            let version = record.version().map_or_else(|| "none yet".to_owned(), |version| version.to_string());
            output::print(&format!("{}{}: version {version}\n", table(["COMPANY", "ROLES"], &rows), shown(user)))?;
        }
    }
    Ok(Outcome::Done)
}

fn changes(history: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), shown);
    let rows: Vec<[String; 5]> = history["changes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|change| {
            let at = change["at"].as_f64().map_or_else(|| "-".to_owned(), utc);
            let was = change.get("was").map_or_else(|| "-".to_owned(), text);
            let versions = format!("{} -> {}", change["from"], change["to"]);
            [at, text(&change["by"]), text(&change["what"]), versions, was]
        })
        .collect();
    table(["WHEN", "WHO", "WHAT", "VERSION", "BEFORE"], &rows)
}

/// `postern permissions set`.
pub(super) fn set(
    service: &Service,
    user: &str,
    named: &[String],
    role: Option<&str>,
    dry_run: bool,
    format: Format,
) -> anyhow::Result<Outcome> {
    let stored = service.get(user)?;
    let before = records::companies(stored.as_ref().map(|stored| &stored.record));
    let wanted = if let Some(role) = role {
        ensure!(!named.iter().any(|name| name.contains('=')), "`--role` is for all companies: name them without `=`");
        records::listed(user, named, role)
    } else {
        let mut companies = before.clone();
        for text in named {
            let (company, roles) = records::company(text)?;
            companies.insert(company, roles);
        }
        records::by_company(user, &companies)
    };
    let after = records::companies(Some(
        &PermissionsRecord::parse(wanted.to_string().as_bytes()).context("this makes no record")?,
    ));
    // Roles alone, and not the shape: nobody is given another shape by being given what they have.
    if stored.is_some() && before == after {
        return unchanged(user, format);
    }
    let write = || service.put(user, &wanted, stored.as_ref());
    change(user, (&before, &after), dry_run, format, write)
}

/// `postern permissions revoke`.
pub(super) fn revoke(
    service: &Service,
    user: &str,
    companies: &[String],
    dry_run: bool,
    format: Format,
) -> anyhow::Result<Outcome> {
    let Some(stored) = service.get(user)? else { return unchanged(user, format) };
    let before = records::companies(Some(&stored.record));
    let mut after = before.clone();
    after.retain(|company, _| !companies.is_empty() && !companies.contains(company));
    if before == after {
        return unchanged(user, format);
    }
    let write = || {
        if companies.is_empty() {
            return service.delete(user, &stored);
        }
        // In its own shape.
        let wanted = match (&stored.json["companies"], stored.json["role"].as_str()) {
            (Value::Array(_), role) => {
                let mut wanted = json!({"id": user, "companies": after.keys().collect::<Vec<_>>()});
                if let Some(role) = role {
                    wanted["role"] = json!(role);
                }
                wanted
            }
            _ => records::by_company(user, &after),
        };
        service.put(user, &wanted, Some(&stored))
    };
    change(user, (&before, &after), dry_run, format, write)
}

fn change(
    user: &str,
    (before, after): (&Companies, &Companies),
    dry_run: bool,
    format: Format,
    write: impl FnOnce() -> anyhow::Result<Written>,
) -> anyhow::Result<Outcome> {
    if format == Format::Text {
        output::print(&records::difference(before, after))?;
    }
    if dry_run {
        match format {
            Format::Json => {
                output::print_json(&json!({"user": user, "changed": false, "before": before, "after": after}))?
            }
            Format::Text => output::print("nothing was written: this was a dry run\n")?,
        }
        return Ok(Outcome::Done);
    }
    match write()?.record(user)? {
        Ok(record) => {
            match format {
                Format::Json => {
                    output::print_json(
                        &json!({"user": user, "changed": true, "before": before, "after": after, "record": record}),
                    )?;
                }
                Format::Text => output::print(&format!("{}: version {}\n", shown(user), record["version"]))?,
            }
            Ok(Outcome::Done)
        }
        Err(Unwritten { changed, why }) => {
            if format == Format::Json {
                output::print_json(&json!({"user": user, "changed": changed, "error": why}))?;
            } else {
                output::complain(&format!("postern: {why}\n"));
            }
            Ok(Outcome::No)
        }
    }
}

fn unchanged(user: &str, format: Format) -> anyhow::Result<Outcome> {
    match format {
        Format::Json => output::print_json(&json!({"user": user, "changed": false}))?,
        Format::Text => output::print(&format!("{}: nothing changes\n", shown(user)))?,
    }
    Ok(Outcome::Done)
}

/// `postern permissions list`: JSON either way.
pub(super) fn list(service: &Service) -> anyhow::Result<Outcome> {
    let (mut cursor, mut unreadable) = (None, 0_usize);
    loop {
        let page = service.page(cursor.as_deref())?;
        let mut lines = String::new();
        for record in page["users"].as_array().into_iter().flatten() {
            let _ = writeln!(lines, "{record}");
        }
        output::print(&lines)?;
        for user in page["unreadable"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            output::complain(&format!("postern: the record of `{}` cannot be read\n", shown(user)));
            unreadable += 1;
        }
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(if unreadable == 0 { Outcome::Done } else { Outcome::No }),
        }
    }
}

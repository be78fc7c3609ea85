//! What differs, for people and for programs.

use std::fmt::Write as _;

use postern::{Decision, Policy};
use serde_json::{Value, json};

use super::{
    DiffArgs, Differences,
    access::{Callers, Difference},
    freed::Freed,
    replay::Witness,
    sections::{SectionChange, SectionKind},
};
use crate::{
    explain::in_short,
    output::{BAD, DIM, GOOD, HEADING, WARNING, counted, shown, styled},
};

/// What an operator must know before two versions of a Worker are deployed with these policies: docs/workers.md.
const GRADUAL_DEPLOYMENT: &str = "while the old and the new version are both deployed, a caller chooses between them by the \
request fields `Cloudflare-Workers-Version-Overrides` and `Cloudflare-Workers-Version-Key`, so that whoever loses here can \
stay with the old policy; try the new one as a shadow policy first, then deploy it to 100 % (docs/workers.md)";

pub(super) fn to_text(args: &DiffArgs, differences: &Differences) -> String {
    let gained = differences.access.iter().filter(|difference| difference.who.is_gain).count();
    let lost = differences.access.len() - gained;
    let others = differences.sections.len() + differences.freed.len() + differences.settings.len();
    let mut text = format!("{} -> {}\n", args.old.display(), args.new.display());
    for difference in &differences.access {
        text += &access_text(difference);
    }
    if !differences.sections.is_empty() {
        let _ = writeln!(text, "\n{}", styled(HEADING, "whose tokens are believed"));
        differences.sections.iter().for_each(|change| text += &section_text(change));
    }
    if !differences.freed.is_empty() {
        let _ = writeln!(text, "\n{}", styled(HEADING, "parameters that no rule binds"));
        differences.freed.iter().for_each(|freed| text += &freed_text(freed));
    }
    if !differences.settings.is_empty() {
        let _ = writeln!(text, "\n{}", styled(HEADING, "not about who may"));
        for setting in &differences.settings {
            text += &change_text(&setting.at, &setting.old, &setting.new);
        }
    }
    if differences.concern_callers() {
        let _ = writeln!(text, "\n{}: {GRADUAL_DEPLOYMENT}", styled(WARNING, "on Workers"));
    }
    let others = counted(others, "other change");
    let _ = writeln!(text, "\n{} gained, {} lost, {others}", gained, lost);
    text
}

fn access_text(difference: &Difference) -> String {
    let verb = if difference.who.is_gain { styled(BAD, "gained") } else { styled(GOOD, "lost") };
    let witness = &difference.witness;
    let mut text = format!("\n{verb} {} {} by {}\n", difference.methods.join(", "), difference.path, who(difference));
    let [old, new] = witness.decisions.each_ref().map(in_short);
    let _ = writeln!(text, "  {} {}", witness.method, shown(&witness.target));
    for line in caller_lines(witness) {
        let _ = writeln!(text, "  {}", styled(DIM, line));
    }
    let _ = writeln!(text, "  old: {old}\n  new: {new}");
    if !difference.is_replayed {
        let _ = writeln!(
            text,
            "  {}: a rule is about a claim that Postern reads itself, or a limit is too small for this request",
            styled(WARNING, "not replayed")
        );
    }
    text
}

/// Who gains or loses.
fn who(difference: &Difference) -> String {
    let which = &difference.who.which;
    let which = if which.is_empty() { String::new() } else { format!(" {which}") };
    match &difference.who.callers {
        Callers::Anyone => "anyone, without a token".to_owned(),
        Callers::Of(section) => format!("callers of `{section}`{which}"),
    }
}

fn caller_lines(witness: &Witness) -> Vec<String> {
    let mut lines: Vec<String> =
        witness.headers.iter().map(|(name, value)| format!("field {name}: {}", shown(value))).collect();
    match &witness.token {
        None => lines.push("without a token".to_owned()),
        Some((section, claims)) => lines.push(format!("token of `{section}`: {}", shown(&json!(claims).to_string()))),
    }
    lines.extend(witness.record.as_ref().map(|record| format!("record: {}", shown(&record.to_string()))));
    lines
}

fn section_text(change: &SectionChange) -> String {
    let routes = if change.routes.is_empty() { "no route".to_owned() } else { change.routes.join(", ") };
    let name = shown(&change.name);
    match &change.kind {
        SectionKind::Added => format!("  `{name}` is believed anew: its callers may use {routes}\n"),
        SectionKind::Removed => format!("  `{name}` is believed no longer: its callers used {routes}\n"),
        SectionKind::Changed(members) => {
            let lines: String =
                members.iter().map(|(at, old, new)| change_text(&format!("issuer.{name}.{at}"), old, new)).collect();
            format!("{lines}    on {routes}\n")
        }
    }
}

fn freed_text(freed: &Freed) -> String {
    let verb = if freed.is_looser { styled(BAD, "looser") } else { styled(GOOD, "stricter") };
    let becomes = if freed.is_looser { "becomes unbound" } else { "is unbound no longer" };
    format!("  {verb}: `{{{}}}` of route `{}` {becomes}\n", shown(&freed.parameter), shown(&freed.route))
}

fn change_text(at: &str, old: &Value, new: &Value) -> String {
    let value = |value: &Value| if value.is_null() { "unset".to_owned() } else { shown(&value.to_string()) };
    format!("  {}: {} -> {}\n", shown(at), value(old), value(new))
}

pub(super) fn to_json(args: &DiffArgs, policies: [&Policy; 2], differences: &Differences) -> Value {
    let policy = |path: &std::path::Path, policy: &Policy| json!({"file": path.display().to_string(), "version": policy.version()});
    let access: Vec<Value> = differences.access.iter().map(access_json).collect();
    let sections: Vec<Value> = differences.sections.iter().map(section_json).collect();
    let settings: Vec<Value> = differences
        .settings
        .iter()
        .map(|setting| json!({"at": setting.at, "old": setting.old, "new": setting.new}))
        .collect();
    let freed: Vec<Value> = differences
        .freed
        .iter()
        .map(|freed| {
            let change = if freed.is_looser { "looser" } else { "stricter" };
            json!({"route": freed.route, "parameter": freed.parameter, "change": change})
        })
        .collect();
    json!({
        "old": policy(&args.old, policies[0]),
        "new": policy(&args.new, policies[1]),
        "access": access,
        "issuers": sections,
        "free_parameters": freed,
        "settings": settings,
        "gradual_deployment": differences.concern_callers().then_some(GRADUAL_DEPLOYMENT),
        "differences": access.len() + sections.len() + freed.len() + settings.len(),
    })
}

fn access_json(difference: &Difference) -> Value {
    let witness = &difference.witness;
    let [old, new] = witness.decisions.each_ref().map(decision_json);
    let (section, claims) = match &witness.token {
        Some((section, claims)) => (json!(section), json!(claims)),
        None => (Value::Null, Value::Null),
    };
    json!({
        "change": if difference.who.is_gain { "gained" } else { "lost" },
        "methods": difference.methods,
        "path": difference.path,
        "old_route": difference.routes[0],
        "new_route": difference.routes[1],
        "issuer": section,
        "who": who(difference),
        "witness": {
            "method": witness.method,
            "target": witness.target,
            "headers": witness.headers,
            "claims": claims,
            "record": witness.record,
        },
        "old": old,
        "new": new,
        "replayed": difference.is_replayed,
    })
}

fn decision_json(decision: &Decision) -> Value {
    match decision {
        Decision::Permit(permit) => json!({
            "decision": "permit", "status": 200, "reason": null, "route": permit.route(), "company": permit.company(),
        }),
        Decision::Deny(denial) => json!({
            "decision": "deny", "status": denial.answer().status, "reason": denial.reason().code(),
            "route": denial.route(), "company": null,
        }),
        Decision::Preflight(answer) => json!({
            "decision": "deny", "status": answer.status, "reason": "preflight", "route": null, "company": null,
        }),
    }
}

fn section_json(change: &SectionChange) -> Value {
    let (kind, members) = match &change.kind {
        SectionKind::Added => ("added", Vec::new()),
        SectionKind::Removed => ("removed", Vec::new()),
        SectionKind::Changed(members) => ("changed", members.clone()),
    };
    let members: Vec<Value> =
        members.into_iter().map(|(at, old, new)| json!({"at": at, "old": old, "new": new})).collect();
    json!({"name": change.name, "change": kind, "members": members, "routes": change.routes})
}

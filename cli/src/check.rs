//! `postern check`: what is wrong with a policy, as compilers say it, and what wants a second look.

use std::{ops::Range, path::Path};

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use clap::Args;
use postern::{
    Policy,
    policy::{LineColumn, PolicyError, PolicyErrors},
};
use serde_json::{Value, json};

use crate::{
    cloudfront::{self, CloudFrontArgs, Compared},
    exit::Outcome,
    lint::{self, Warning},
    output::{self, Format, counted},
    policy_args::{PolicyArgs, Sources},
};

/// What is checked, and how strictly.
#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Take warnings for faults: exit code 1.
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    cloudfront: CloudFrontArgs,
}

/// One thing to say about one place of a file.
struct Diagnostic<'a> {
    level: Level<'static>,
    path: &'a Path,
    text: &'a str,
    span: Option<Range<usize>>,
    pointer: &'a str,
    code: &'static str,
    message: String,
    mend: String,
    /// The text at the place may be shown.
    shows_source: bool,
}

/// Checks the policy.
pub(crate) fn run(args: &CheckArgs, format: Format) -> anyhow::Result<Outcome> {
    let sources = args.policy.read()?;
    let policy = match sources.policy() {
        Ok(policy) => policy,
        Err(errors) => return refused(&sources, &errors, format),
    };
    let warnings = lint::warnings(&policy);
    let places = lint::places(&warnings, sources.text());
    let diagnostics: Vec<Diagnostic<'_>> =
        warnings.iter().zip(places).map(|(warning, span)| warned(&sources, warning, span)).collect();
    let compared = cloudfront::compare(&args.cloudfront, &policy)?;
    match format {
        Format::Json => {
            let mut document = document(&sources, &[], &diagnostics, Some(&policy));
            if let Some(compared) = &compared {
                document["cloudfront"] = compared.to_json();
            }
            output::print_json(&document)?;
        }
        Format::Text => {
            complain(&diagnostics);
            output::print(&passed(sources.path(), &policy, diagnostics.len()))?;
            if let Some(compared) = &compared {
                compared.complain();
                output::print(&compared.summary())?;
            }
        }
    }
    let (errors, warnings) = compared.as_ref().map(Compared::counts).unwrap_or_default();
    let is_denied = args.deny_warnings && (!diagnostics.is_empty() || warnings > 0);
    Ok(if errors > 0 || is_denied { Outcome::No } else { Outcome::Done })
}

/// Says everything that is wrong with a policy: for every command that takes one.
pub(crate) fn refused(sources: &Sources, errors: &PolicyErrors, format: Format) -> anyhow::Result<Outcome> {
    let faults: Vec<Diagnostic<'_>> = errors.0.iter().map(|error| fault(sources, error)).collect();
    match format {
        Format::Json => output::print_json(&document(sources, &faults, &[], None))?,
        Format::Text => {
            complain(&faults);
            output::complain(&format!("{}: {}\n", sources.path().display(), counted(faults.len(), "fault")));
        }
    }
    Ok(Outcome::No)
}

fn fault<'a>(sources: &'a Sources, error: &'a PolicyError) -> Diagnostic<'a> {
    let (path, text) = sources.holding(error.is_in_overlay());
    Diagnostic {
        level: Level::ERROR,
        path,
        text,
        span: error.span.clone(),
        pointer: &error.pointer,
        code: error.fault.code(),
        message: error.fault.to_string(),
        mend: error.fault.mend(),
        shows_source: error.fault.shows_source(),
    }
}

fn warned<'a>(sources: &'a Sources, warning: &'a Warning, span: Option<Range<usize>>) -> Diagnostic<'a> {
    Diagnostic {
        level: Level::WARNING,
        path: sources.path(),
        text: sources.text(),
        span,
        pointer: &warning.pointer,
        code: warning.lint.code(),
        message: warning.message.clone(),
        mend: warning.lint.mend().to_owned(),
        shows_source: true,
    }
}

fn complain(diagnostics: &[Diagnostic<'_>]) {
    let renderer = Renderer::styled();
    for diagnostic in diagnostics {
        output::complain(&format!("{}\n\n", diagnostic.render(&renderer)));
    }
}

fn passed(file: &Path, policy: &Policy, warnings: usize) -> String {
    let stamp = if policy.is_development() { ", development" } else { "" };
    let warned = if warnings == 0 { String::new() } else { format!(", {}", counted(warnings, "warning")) };
    format!(
        "{}: builds ({}, {}, {}, version {}{stamp}){warned}\n",
        file.display(),
        counted(policy.routes().len(), "route"),
        counted(policy.issuers().len(), "issuer"),
        counted(policy.origins().len(), "origin"),
        policy.version()
    )
}

fn document(
    sources: &Sources,
    faults: &[Diagnostic<'_>],
    warnings: &[Diagnostic<'_>],
    policy: Option<&Policy>,
) -> Value {
    let list = |diagnostics: &[Diagnostic<'_>]| diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>();
    json!({
        "file": sources.path().display().to_string(),
        "builds": policy.is_some(),
        "version": policy.map(Policy::version),
        "development": policy.map(Policy::is_development),
        "faults": list(faults),
        "warnings": list(warnings),
    })
}

impl Diagnostic<'_> {
    fn render(&self, renderer: &Renderer) -> String {
        let path = self.path.display().to_string();
        let title = self.level.clone().primary_title(&self.message).id(self.code);
        let help = Level::HELP.message(&self.mend);
        let Some(span) = self.first_line() else {
            return renderer.render(&[title.element(Origin::path(path)).element(help)]);
        };
        let group = if self.shows_source {
            let annotation = AnnotationKind::Primary.span(span).label(self.pointer);
            title.element(Snippet::source(self.text).path(path).annotation(annotation)).element(help)
        } else {
            let at = LineColumn::of(self.text, span.start);
            title.element(Origin::path(path).line(at.line).char_column(at.column)).element(help)
        };
        renderer.render(&[group])
    }

    /// The span as far as its first line goes: a table is pointed at, not painted.
    fn first_line(&self) -> Option<Range<usize>> {
        let span = self.span.clone()?;
        let text = self.text.get(span.clone())?;
        let line = text.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        Some(span.start..span.start.saturating_add(line.len()))
    }

    fn to_json(&self) -> Value {
        let at = |offset| LineColumn::of(self.text, offset);
        let (start, end) = (self.span.as_ref().map(|span| at(span.start)), self.span.as_ref().map(|span| at(span.end)));
        json!({
            "file": self.path.display().to_string(),
            "pointer": self.pointer,
            "line": start.map(|at| at.line),
            "column": start.map(|at| at.column),
            "end_line": end.map(|at| at.line),
            "end_column": end.map(|at| at.column),
            "code": self.code,
            "message": self.message,
            "mend": self.mend,
        })
    }
}

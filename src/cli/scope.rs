//! `keydeck scope`: the catalog in use, and a check of a catalog file before it is used. Neither needs a secret.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::Outcome;
use super::door::Deck;
use super::fault::{Exit, Fault};
use super::output::shown;
use super::table::{Cell, Table, Tone};
use crate::domain::Catalog;
use crate::domain::catalog::text::{did_you_mean, nearest};
use crate::domain::catalog::{CatalogProblem, Group, Level, Permission, ProblemList, Risk};
use crate::files;

/// What can be done with scopes.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The scopes of the catalog in use
    List(List),
    /// Check a catalog file and name every mistake with its line
    Check(Check),
}

/// Words of `scope list`.
#[derive(Debug, Args)]
pub struct List {
    /// Only what keys of this level may hold
    #[arg(long, value_name = "LEVEL")]
    level: Option<LevelWord>,
    /// Only this group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
}

/// Words of `scope check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The catalog file
    file: PathBuf,
}

/// The words for levels.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LevelWord {
    /// Agency keys
    Agency,
    /// Location keys
    Location,
    /// Apps
    App,
}

impl LevelWord {
    const fn level(self) -> Level {
        match self {
            Self::Agency => Level::Agency,
            Self::Location => Level::Location,
            Self::App => Level::App,
        }
    }
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::List(args) => list(deck, args),
        Verb::Check(args) => check(deck, args),
    }
}

#[derive(Serialize)]
struct ScopeLine<'a> {
    id: &'a str,
    group: &'a str,
    title: &'a str,
    description: &'a str,
    levels: Vec<&'static str>,
    auth: &'static str,
    risk: &'static str,
}

fn list(deck: &Deck, args: &List) -> Outcome {
    let catalog = deck.catalog()?;
    if let Some(wanted) = &args.group
        && catalog.group(wanted).is_none()
    {
        let hint = did_you_mean(nearest(wanted, catalog.groups().iter().map(|g| g.id.as_str())));
        return Err(Fault::refused(
            "no_such_group",
            format!("There is no scope group called {wanted}.{hint}"),
        ));
    }
    let groups = catalog.groups().iter().filter(|g| args.group.as_ref().is_none_or(|id| *id == g.id));
    let fits = |p: &&Permission| args.level.is_none_or(|word| p.levels.contains(word.level()));
    let rows: Vec<(&Group, &Permission)> =
        groups.flat_map(|g| g.permissions.iter().filter(fits).map(move |p| (g, p))).collect();
    if deck.output.is_json() {
        let lines: Vec<ScopeLine<'_>> = rows.iter().map(|(g, p)| line(g, p)).collect();
        deck.output.value(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["Scope", "Levels", "Risk", "What it allows"]);
    for (_, permission) in rows {
        let tone = match permission.risk {
            Risk::Admin => Tone::Warn,
            Risk::Read | Risk::Write => Tone::Plain,
        };
        table.row([
            permission.id.as_str().into(),
            permission.levels.to_string().into(),
            Cell::toned(permission.risk.as_str(), tone),
            permission.title.as_str().into(),
        ]);
    }
    deck.output.text(&table.render(deck.output))?;
    let presets: Vec<&str> = catalog.presets().iter().map(|p| p.id.as_str()).collect();
    if !presets.is_empty() {
        deck.output
            .say(&format!("Presets: {}. `keydeck key create --preset` takes one.", presets.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

fn line<'a>(group: &'a Group, permission: &'a Permission) -> ScopeLine<'a> {
    ScopeLine {
        id: permission.id.as_str(),
        group: &group.id,
        title: &permission.title,
        description: &permission.description,
        levels: permission.levels.iter().map(Level::as_str).collect(),
        auth: permission.auth.as_str(),
        risk: permission.risk.as_str(),
    }
}

#[derive(Serialize)]
struct ProblemLine {
    line: usize,
    column: usize,
    message: String,
}

fn check(deck: &Deck, args: &Check) -> Outcome {
    let fail = |why: String| Fault::usage(format!("The file {} cannot be read: {why}.", args.file.display()));
    let text = files::open_given(&args.file)
        .and_then(|file| files::text_of(file, 16 * Catalog::MAX_BYTES))
        .map_err(|e| fail(e.to_string()))?;
    match Catalog::parse(&text) {
        Ok(catalog) => {
            let (groups, scopes) = (catalog.groups().len(), catalog.len());
            if deck.output.is_json() {
                deck.output.value(&serde_json::json!({
                    "ok": true, "groups": groups, "scopes": scopes, "presets": catalog.presets().len(), "problems": []
                }))?;
            } else {
                deck.output.text(&format!(
                    "{}: {scopes} scopes in {groups} groups, {} presets. Nothing is wrong with it.\n",
                    shown(catalog.title()),
                    catalog.presets().len()
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            if deck.output.is_json() {
                let lines: Vec<_> = problems.iter().map(problem).collect();
                deck.output.value(&serde_json::json!({ "ok": false, "problems": lines }))?;
            } else {
                let file = args.file.display().to_string();
                let list = ProblemList(&problems).to_string();
                let located: Vec<String> =
                    list.lines().map(|l| format!("{}: {}", shown(&file), shown(l))).collect();
                let located = located.join("\n") + "\n";
                deck.output.text(&located)?;
            }
            Ok(super::code(Exit::Refused))
        }
    }
}

fn problem(problem: &CatalogProblem) -> ProblemLine {
    ProblemLine { line: problem.line, column: problem.column, message: problem.fault.to_string() }
}

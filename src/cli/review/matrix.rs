//! `keydeck review --matrix KEY…`: several keys side by side.

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::find;
use crate::cli::output::shown;
use crate::domain::review::matrix::count;
use crate::domain::review::{Grant, Matrix, Reviewer};
use crate::domain::view::Sought;
use crate::domain::{KeyId, View};
use crate::tui::sight::matrix;

/// Keys that stand beside each other on a page.
const BESIDE: usize = 24;

/// All of it, in JSON.
#[derive(Serialize)]
struct MatrixLine<'a> {
    /// In the order of the cells.
    keys: Vec<KeyColumn<'a>>,
    scopes: Vec<ScopeRow<'a>>,
}

#[derive(Serialize)]
struct KeyColumn<'a> {
    id: String,
    name: &'a str,
    granted: usize,
    needed: usize,
}

#[derive(Serialize)]
struct ScopeRow<'a> {
    scope: &'a str,
    /// Of each key: `needed`, `unneeded`, `unknown` or `not_granted`.
    cells: Vec<&'static str>,
    granted: usize,
    needed: usize,
}

impl<'a> From<&Matrix<'a>> for MatrixLine<'a> {
    fn from(matrix: &Matrix<'a>) -> Self {
        let column = |(at, key): (usize, &&'a crate::domain::Key)| {
            let (granted, needed) = matrix.column(at);
            KeyColumn { id: key.id.to_string(), name: key.name.as_str(), granted, needed }
        };
        let row = |(scope, grants): &(&'a crate::domain::ScopeId, Vec<Grant>)| {
            let (granted, needed) = count(grants);
            let cells = grants.iter().map(|grant| grant.code()).collect();
            ScopeRow { scope: scope.as_str(), cells, granted, needed }
        };
        Self {
            keys: matrix.keys.iter().enumerate().map(column).collect(),
            scopes: matrix.rows.iter().map(row).collect(),
        }
    }
}

pub(super) fn run(deck: &Deck, signed: &Signed, references: &[String]) -> Outcome {
    let mut ids: Vec<KeyId> = Vec::with_capacity(references.len());
    for reference in references {
        let id = find::key(signed, reference, Sought::Living)?.id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let state = signed.engine.state();
    let view = View::new(&state, signed.session.actor());
    let by = Reviewer { view, catalog: signed.engine.catalog(), now: signed.now() };
    let all = by.matrix(&ids);
    if deck.output.is_json() {
        deck.output.value(&MatrixLine::from(&all))?;
    } else {
        let text: String = matrix::lines(&all, BESIDE).iter().map(|line| shown(line) + "\n").collect();
        deck.output.text(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

//! Which actions on apps work right now, and why not the others.

use super::Apps;
use crate::domain::catalog::AuthMethod;
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::look::Look;
use crate::tui::input::TextFocus;
use crate::tui::screens::{NO_PAUSE, not_here};
use crate::tui::sight::app_deeds;
use crate::tui::sight::seen::seen;
use crate::tui::widgets::walks;

/// Of an app that has no keys of its own.
const CHECKS: &str = "this app has no keys: it checks those of others";

impl Apps {
    /// Whether there are keys to go to.
    pub(super) fn may_enter_keys(&self, look: &Look) -> Result<(), Reason> {
        let app = self.beside.list.selected();
        let method = look.view(|view| app.and_then(|id| view.app(id)).map(|app| app.method));
        match method {
            None => Err("there is no app here".into()),
            Some(AuthMethod::ApiKey) => Ok(()),
            Some(AuthMethod::Jwt) => {
                let key = look.keymap.label(Layer::Screen, Action::HowTo).unwrap_or_default();
                Err(format!("this app uses access tokens and has no keys; {key} says how it gets them")
                    .into())
            }
            Some(AuthMethod::ResourceServer) => Err(CHECKS.into()),
        }
    }

    /// Why an action on apps is not possible now.
    pub(super) fn enabled_apps(&self, action: Action, look: &Look) -> Result<(), Reason> {
        let when = |possible: bool, why: &'static str| if possible { Ok(()) } else { Err(why.into()) };
        let selected = self.beside.list.selected();
        match action {
            _ if walks(action) => Ok(()),
            Action::TestToken => Ok(()),
            Action::Sort | Action::Columns => {
                when(!self.beside.is_inside(), "the table is not in front; esc goes back to it")
            }
            Action::Filter => when(!self.beside.list.is_empty(), "there is nothing to filter"),
            Action::Right => self.may_enter_keys(look),
            Action::Left => when(self.beside.is_inside(), "there is nothing to the left"),
            Action::Back => {
                let somewhere = self.beside.is_inside()
                    || self.beside.list.text_focus() == TextFocus::Here
                    || self.beside.list.is_filtered()
                    || self.beside.is_open();
                when(somewhere, "there is nothing to step back from; q quits")
            }
            Action::New => self.create.clone(),
            Action::Undo => when(self.paused.is_some(), NO_PAUSE),
            Action::Open | Action::RowMenu | Action::CopyId | Action::HowTo | Action::Watch => {
                when(selected.is_some(), "there is no app here")
            }
            Action::Scopes => seen(look, |seen| app_deeds::enabled(Action::Edit, selected, seen)),
            Action::Edit
            | Action::NewKey
            | Action::NewSecret
            | Action::Rotate
            | Action::Lost
            | Action::FinishGrace
            | Action::LongerGrace
            | Action::CancelRotation
            | Action::RotateAgain
            | Action::Pause
            | Action::Delete => seen(look, |seen| app_deeds::enabled(action, selected, seen)),
            Action::Revoke => Err("an app is paused or deleted; its keys are revoked: l goes to them".into()),
            Action::Restore => Err("a deleted app cannot be restored; create another".into()),
            Action::Mark | Action::MarkRange | Action::MarkAll | Action::MarkNone => {
                Err("apps are changed one at a time".into())
            }
            _ => Err(not_here(action, look)),
        }
    }
}

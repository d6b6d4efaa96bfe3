//! What is typed, pasted and clicked goes to the field that has the focus, or takes it there.

use super::form::Stop;
use super::{AppForm, Next, draw};
use crate::domain::SourceApp;
use crate::tui::action::Action;
use crate::tui::app::ask::Ask;
use crate::tui::app::look::Look;
use crate::tui::canvas::Target;
use crate::tui::overlay::Heard;
use crate::tui::overlays::scope_tree;
use crate::tui::router::Edit;
use crate::tui::widgets::Handled;

impl AppForm {
    pub(super) fn type_char(&mut self, c: char, look: &Look) {
        let stop = self.stop;
        if let Some(field) = self.form.field(stop) {
            field.type_char(c);
        } else if let Some((list, at)) = self.form.urls(stop) {
            list.type_char(at, c);
        } else if stop == Stop::Scopes {
            self.form.tree.type_char(c);
        } else if stop == Stop::Preset {
            self.open_pick(look, (c != ' ').then_some(c));
        }
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        let stop = self.stop;
        if let Some(field) = self.form.field(stop) {
            field.paste(pasted);
        } else if let Some((list, at)) = self.form.urls(stop) {
            let at = list.paste(at, pasted);
            self.stop = if matches!(stop, Stop::Login(_)) { Stop::Login(at) } else { Stop::Logout(at) };
        } else if stop == Stop::Scopes {
            self.form.tree.paste(pasted);
        }
    }

    pub(super) fn edit_text(&mut self, edit: Edit) {
        let stop = self.stop;
        if let Some(field) = self.form.field(stop) {
            field.edit(edit);
        } else if let Some((list, at)) = self.form.urls(stop) {
            list.edit(at, edit);
        } else if stop == Stop::Scopes {
            self.form.tree.edit(edit);
        }
    }

    pub(super) fn click(&mut self, target: Target, look: &Look, out: &mut Vec<Ask>) -> Next {
        match target {
            Target::Button(0) => {
                self.go(Stop::Back);
                return self.back(out);
            }
            Target::Button(_) => {
                self.go(Stop::On);
                return self.on(look, out);
            }
            Target::Field(number) => {
                let Some(stop) = draw::stop_of(number) else { return Heard::Consumed };
                self.go(stop);
                if matches!(stop, Stop::Guest | Stop::Employee | Stop::Preset) {
                    return self.act_at_stop(Action::Toggle, look, out);
                }
            }
            Target::Row { pane: draw::SOURCES, row } => {
                self.go(Stop::Source);
                if let Some(source) = SourceApp::ALL.get(row) {
                    self.form.source.choose(source);
                }
            }
            Target::Row { pane: draw::METHODS, row } => {
                self.go(Stop::Method);
                let action = if row == 0 { Action::Up } else { Action::Down };
                if self.form.method.act(action) == Handled::Changed {
                    out.extend(self.form.follow_method(look).map(Ask::Say));
                }
            }
            Target::Row { pane: scope_tree::PANE, row } => {
                self.go(Stop::Scopes);
                self.form.tree.select(row);
            }
            Target::Tick { pane: scope_tree::PANE, row } => {
                self.go(Stop::Scopes);
                self.form.tree.select(row);
                self.tree(Action::Toggle, out);
            }
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }
}

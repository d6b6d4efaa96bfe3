//! The verbs: everything a person can ask the console to do.
//!
//! Keys, mouse, palette and tests produce actions and nothing else; hint bar, help, jump and the written key
//! sheet read this one table. Which keys mean an action is the keymap's affair, whether it is possible right now
//! the screen's.

use std::{borrow::Cow, fmt};

worded! {
/// The key tables. The layer on top decides alone which table is searched, after [`Layer::Always`].
Layer
/// The section of the keymap file.
id {
    Always "always" "Works everywhere, even while typing.";
    Screen "screen" "A screen with its table.";
    Dialog "dialog" "A form, wizard or question.";
    Picker "picker" "A list one filters by typing: the jump, a choice.";
    Reader "reader" "A long text: the guide, an audit entry.";
    Watch "watch" "Who knocks now.";
    Secret "secret" "The one showing of a new secret.";
}
}

impl Layer {
    /// The layer of a section name.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|layer| layer.id() == id)
    }
}

worded! {
/// Where an action stands in help and jump.
Group
/// Heading in the help.
title {
    Act "Keys";
    Find "Find";
    Mark "Mark";
    Sort "Sort";
    Move "Move";
    Tabs "Tabs";
    App "Console";
    Dialog "Forms and questions";
    Secret "New secret";
}
}

/// Whether an action takes access away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Harmless or easily undone.
    Safe,
    Dangerous,
}

/// What an action leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    Look,
    /// A change of the store, or an entry of its trail.
    Change,
}

/// Why an action is not possible right now, in words for the person who pressed its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(pub Cow<'static, str>);

impl From<&'static str> for Reason {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything fixed about an action.
#[derive(Debug)]
pub struct Spec {
    /// Its name in the keymap file.
    pub id: &'static str,
    /// What it does, as the jump says it.
    pub title: &'static str,
    /// One word for the hint bar.
    pub word: &'static str,
    pub group: Group,
    /// Where its keys work.
    pub layers: &'static [Layer],
    pub lead: Lead,
}

/// What a tab counts beside its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Keys or apps that are not deleted.
    Kept,
    /// Keys and apps of which a review has something to say.
    Concerns,
    /// Notices that nobody has seen, if there are any.
    Unseen,
    Nothing,
}

/// One row per action and per tab, so that enum and table cannot part.
macro_rules! actions {
    (
        tabs { $($tab:ident $tab_id:literal $tab_title:literal $tab_word:literal $tab_counts:ident;)+ }
        actions { $($action:ident $id:literal $title:literal $word:literal $group:ident [$($layer:ident)+] $lead:ident;)+ }
    ) => {
        /// The tabs, in the order of the tab bar and of the number keys.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Tab {
            $(#[doc = $tab_title] $tab,)+
        }

        impl Tab {
            pub const ALL: &'static [Self] = &[$(Self::$tab,)+];

            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$tab => $tab_title,)+
                }
            }

            /// What stands beside its name.
            pub const fn counts(self) -> Counts {
                match self {
                    $(Self::$tab => Counts::$tab_counts,)+
                }
            }
        }

        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = $title] $action,)+
            Tab(Tab),
        }

        impl Action {
            /// Every action: those that lead to a tab, then the others in table order.
            pub const ALL: &'static [Self] = &[$(Self::Tab(Tab::$tab),)+ $(Self::$action,)+];

            /// What is fixed about this action.
            pub const fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$action => &Spec {
                        id: $id,
                        title: $title,
                        word: $word,
                        group: Group::$group,
                        layers: &[$(Layer::$layer,)+],
                        lead: Lead::$lead,
                    },)+
                    $(Self::Tab(Tab::$tab) => &Spec {
                        id: $tab_id,
                        title: concat!("Go to ", $tab_title),
                        word: $tab_word,
                        group: Group::Tabs,
                        layers: &[Layer::Screen],
                        lead: Lead::Look,
                    },)+
                }
            }
        }
    };
}

actions! {
tabs {
    Agency      "tab-1"        "Agency keys"                           "agency"        Kept;
    Locations   "tab-2"        "Location keys"                         "locations"     Kept;
    Apps        "tab-3"        "Apps"                                  "apps"          Kept;
    Notices     "tab-4"        "Notices"                               "notices"       Unseen;
    Review      "tab-5"        "Review"                                "review"        Concerns;
    Audit       "tab-6"        "Audit"                                 "audit"         Nothing;
    Settings    "tab-7"        "Settings"                              "settings"      Nothing;
}

actions {
    Up          "up"           "Move up"                               "up"       Move [Screen Dialog Picker Reader Watch] Look;
    Down        "down"         "Move down"                             "down"     Move [Screen Dialog Picker Reader Watch] Look;
    HalfUp      "half-up"      "Move up half a page"                   "half up"  Move [Screen Reader] Look;
    HalfDown    "half-down"    "Move down half a page"                 "half down" Move [Screen Reader] Look;
    PageUp      "page-up"      "Move up a page"                        "page up"  Move [Screen Dialog Picker Reader Watch] Look;
    PageDown    "page-down"    "Move down a page"                      "page down" Move [Screen Dialog Picker Reader Watch] Look;
    Top         "top"          "Go to the first row"                   "top"      Move [Screen Dialog Picker Reader Watch] Look;
    Bottom      "bottom"       "Go to the last row"                    "bottom"   Move [Screen Dialog Picker Reader Watch] Look;
    Left        "left"         "Close the detail, or go left"          "left"     Move [Screen Dialog] Look;
    Right       "right"        "Open the detail, or go right"          "right"    Move [Screen Dialog] Look;
    Open        "open"         "Open the selected row"                 "open"     Move [Screen] Look;
    Back        "back"         "Step back: filter, marks, then detail" "back"     Move [Screen] Look;

    Overview    "overview"     "See how all keys and apps are doing"   "overview" Tabs [Screen] Look;
    Calendar    "calendar"     "See what comes in the next 90 days"    "calendar" Tabs [Screen] Look;
    NextTab     "next-tab"     "Next tab"                              "next tab" Tabs [Screen] Look;
    PrevTab     "prev-tab"     "Previous tab"                          "prev tab" Tabs [Screen] Look;

    Filter      "filter"       "Filter the rows, search the text"      "filter"   Find [Screen Dialog Reader Watch] Look;
    Freeze      "freeze"       "Have what comes stand still, or go on"  "freeze"   Find [Watch] Look;
    NextMatch   "next-match"   "Next match in a long text"             "next"     Find [Reader] Look;
    PrevMatch   "prev-match"   "Previous match in a long text"         "previous" Find [Reader] Look;

    Mark        "mark"         "Mark the row and move down"            "mark"     Mark [Screen] Look;
    MarkRange   "mark-range"   "Mark a range of rows"                  "range"    Mark [Screen] Look;
    MarkAll     "mark-all"     "Mark all shown rows"                   "mark all" Mark [Screen] Look;
    MarkNone    "mark-none"    "Remove all marks"                      "unmark"   Mark [Screen] Look;

    Sort        "sort"         "Sort by a column"                      "sort"     Sort [Screen] Look;
    Columns     "columns"      "Choose the columns"                    "columns"  Sort [Screen] Look;

    New         "new"          "Create a key, a location or an app"    "new"      Act [Screen] Change;
    Duplicate   "duplicate"    "Make another key like this one"        "duplicate" Act [Screen] Change;
    Edit        "edit"         "Change a key, a location or an app"    "edit"     Act [Screen] Change;
    Scopes      "scopes"       "Change what the key may do"            "scopes"   Act [Screen] Change;
    Narrow      "narrow"       "Take away scopes that no request needed" "narrow" Act [Screen] Change;
    ReportOnly  "report-only"  "Count what fewer scopes would refuse, or decide that" "report only" Act [Screen] Change;
    SignOff     "sign-off"     "Sign the review off"                   "sign off" Act [Screen] Change;
    Matrix      "matrix"       "See scopes of the marked keys side by side" "side by side" Act [Screen] Look;
    Keep        "keep"         "Keep the key: it is needed"            "keep"     Act [Screen] Change;
    Protect     "protect"      "Protect the key while unused, or no longer" "protect" Act [Screen] Change;
    Acknowledge "acknowledge"  "Put the notice away until its next step" "acknowledge" Act [Screen] Change;
    Snooze      "snooze"       "Have the notice shown again later"     "snooze"   Act [Screen] Change;
    CopyId      "copy-id"      "Copy the public id"                    "copy id"  Act [Screen Secret] Look;
    Transfer    "transfer"     "Give the key to another operator"      "give"     Act [Screen] Change;
    Pause       "pause"        "Pause or resume the key or app"        "pause"    Act [Screen] Change;
    Revoke      "revoke"       "Revoke the key for good"               "revoke"   Act [Screen] Change;
    Delete      "delete"       "Delete the key, location or app"       "delete"   Act [Screen] Change;
    NewDecoy    "new-decoy"    "Issue a decoy: it opens nothing and rings" "decoy" Act [Screen] Change;
    NewKey      "new-key"      "Issue a key for the app"               "issue key" Act [Screen] Change;
    NewSecret   "new-secret"   "Give the app a new secret"             "new secret" Act [Screen] Change;
    Restore     "restore"      "Restore a deleted key's record"        "restore"  Act [Screen] Change;
    Undo        "undo"         "Undo what was done last"               "undo"     Act [Screen Reader] Change;
    Rotate      "rotate"       "Rotate a key or the secret of an app"  "rotate"   Act [Screen] Change;
    Lost        "lost"         "Replace what was lost, key or secret"  "lost"     Act [Screen] Change;
    FinishGrace "finish-grace" "End the old half of a rotation now"    "finish"   Act [Screen] Change;
    LongerGrace "longer-grace" "Let an old half work a day longer"     "longer"   Act [Screen] Change;
    CancelRotation "cancel-rotation" "Take a rotation back"            "take back" Act [Screen] Change;
    RotateAgain "rotate-again" "Replace a new half that nobody used"   "again"    Act [Screen] Change;
    RowMenu     "row-menu"     "Everything possible with this row"     "actions"  Act [Screen] Look;

    Export      "export"       "Write the marked keys to a file"       "to file"  Act [Screen] Look;
    SaveReport  "save-report"  "Save the report of what was done to many" "save report" Act [Screen Reader] Look;
    HowTo       "how-to"       "How to call with this key or app"      "how to"   Act [Screen] Look;
    LeakDesk    "leak-desk"    "Leak desk: find secrets in a text"     "leak desk" Act [Screen] Look;
    Watch       "watch"        "Watch who knocks now"                  "watch"    Act [Screen] Look;
    TestToken   "test-token"   "Test a token step by step"             "test"     Act [Screen] Look;

    Check       "check"        "Check the audit chain"                 "check"    App [Screen] Look;
    Passphrase  "passphrase"   "Set an operator's passphrase"          "passphrase" App [Screen] Change;
    EndAccess   "end-access"   "End an operator's access, or give it again" "access" App [Screen] Change;
    RenewCode   "renew-code"   "Renew the recovery code"               "renew"    App [Screen] Change;
    ConfirmClock   "confirm-clock" "Say that the clock is right"          "clock"    App [Screen] Change;
    CopyText    "copy-text"    "Copy what is shown"                    "copy"     App [Reader] Look;

    Help        "help"         "Show all keys"                         "help"     App [Screen] Look;
    Jump        "jump"         "Jump to anything: a key, a place, a person, an action" "jump" Find [Screen] Look;
    Guide       "guide"        "Read the developer guide"              "guide"    App [Screen] Look;
    CopyMessage "copy-message" "Copy the message shown"                "copy message" App [Screen] Look;
    Theme       "theme"        "Change the theme of this console"      "theme"    App [Screen] Look;
    Problems    "problems"     "Mistakes in configuration, keymap and theme" "mistakes" App [Screen] Look;
    Forget      "forget"       "Have tables as they come: order, columns, filters" "as it comes" App [Screen] Look;
    Dismiss     "dismiss"      "Dismiss the message shown"             "dismiss"  App [Screen Secret] Look;
    MouseToggle "mouse"        "Give the mouse back to the terminal, or take it" "mouse" App [Screen] Look;
    Whole       "whole-agency" "View the whole agency, or only your own keys" "whole agency" App [Screen] Change;
    LockDown    "lock-down"    "Lock down all of something, or lift that" "lock down" App [Screen] Change;
    Lock        "lock"         "Lock the console, even while typing"   "lock"     App [Always] Look;
    Quit        "quit"         "Quit"                                  "quit"     App [Screen] Look;
    ForceQuit   "force-quit"   "Quit, even while typing"               "quit"     App [Always] Look;
    Suspend     "suspend"      "Suspend to the shell"                  "suspend"  App [Always] Look;
    Redraw      "redraw"       "Draw the screen afresh"                "redraw"   App [Always] Look;

    NextField   "next-field"   "Next field, or next block to copy"     "next"     Dialog [Dialog Reader] Look;
    PrevField   "prev-field"   "Previous field, or block to copy"      "previous" Dialog [Dialog Reader] Look;
    Press       "press"        "Press the focused button"              "accept"   Dialog [Dialog Picker] Look;
    Submit      "submit"       "Finish the form"                       "finish"   Dialog [Dialog] Look;
    Toggle      "toggle"       "Tick or untick"                        "tick"     Dialog [Dialog] Look;
    ToggleAll   "toggle-all"   "Tick or untick all shown"              "tick all" Dialog [Dialog] Look;
    Cancel      "cancel"       "Cancel, or close one layer"            "cancel"   Dialog [Dialog Picker Reader Watch] Look;

    CopySecret  "copy-secret"  "Copy the secret"                       "copy"     Secret [Secret] Look;
    Reveal      "reveal"       "Reveal or hide the secret"             "reveal"   Secret [Secret] Look;
    ToFile      "to-file"      "Write the secret to a file"            "to file"  Secret [Secret] Change;
    RawView     "raw-view"     "Show the bare secret on one line"      "raw"      Secret [Secret] Look;
    Stored      "stored"       "Tick: I stored it"                     "stored"   Secret [Secret] Look;
    Finish      "finish"       "Close, once it is stored"              "close"    Secret [Secret] Look;
    CloseRaw    "close-raw"    "Leave the raw view, or ask to leave"   "leave"     Secret [Secret] Look;
}
}

impl Tab {
    /// What it is called where room is short.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Agency => "Agency",
            Self::Locations => "Locations",
            Self::Apps | Self::Notices | Self::Review | Self::Audit | Self::Settings => self.title(),
        }
    }

    /// What it is called in the smallest window.
    pub const fn brief(self) -> &'static str {
        match self {
            Self::Agency => "Agency",
            Self::Locations => "Loc.",
            Self::Notices => "Due",
            Self::Settings => "Set.",
            Self::Apps | Self::Review | Self::Audit => self.title(),
        }
    }
}

impl Action {
    /// The action of a keymap name.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.spec().id == id)
    }

    /// Whether holding the key down repeats it. Only movement: a held `X` must not revoke ten keys.
    pub fn repeats(self) -> bool {
        self.spec().group == Group::Move && !matches!(self, Self::Open | Self::Back)
    }

    /// Whether it leads to a change of the store, or to an entry of its trail: off where one only looks.
    pub const fn changes(self) -> bool {
        matches!(self.spec().lead, Lead::Change)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_and_titles_are_told_apart() {
        let ids: HashSet<_> = Action::ALL.iter().map(|action| action.spec().id).collect();
        let titles: HashSet<_> = Action::ALL.iter().map(|action| action.spec().title).collect();
        assert_eq!((ids.len(), titles.len()), (Action::ALL.len(), Action::ALL.len()));
        for action in Action::ALL {
            assert_eq!(Action::find(action.spec().id), Some(*action));
        }
    }

    #[test]
    fn a_key_that_is_held_down_moves_and_does_nothing_else() {
        assert!(Action::Down.repeats());
        for action in [Action::Revoke, Action::Delete, Action::Pause, Action::EndAccess, Action::Quit] {
            assert!(!action.repeats());
        }
    }
}

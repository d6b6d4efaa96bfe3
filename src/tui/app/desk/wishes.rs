//! Wishes and what becomes of them: jobs go to the worker, answers come back to whoever asked, copies start a
//! lease, and everything done is said.

use super::super::ask::{Answer, Ask, Job};
use super::super::effect::{Effect, Outcome};
use super::{Asker, Desk, PATIENCE, Pending, Waited};
use crate::domain::Event;
use crate::tui::clipboard::{Keep, Settled, lease::Lease};
use crate::tui::clock::Now;
use crate::tui::overlay::{Overlay, Passed, Secrecy};
use crate::tui::overlays::jump;
use crate::tui::program::{Frame, JobId, Orders};
use crate::tui::secret::SecretText;
use crate::tui::toast::Cause;
use crate::tui::widgets::text;
use crate::tui::widgets::text::sentence;

/// The longest text that is named in the note about copying it.
const NAMED: usize = 48;

impl Desk {
    pub(super) fn grant(&mut self, asker: Asker, wishes: Vec<Ask>, now: Now, orders: &mut Orders<Effect>) {
        for wish in wishes {
            match wish {
                Ask::Do(job) => self.start(asker, job, now, orders),
                Ask::Search(search) => {
                    self.jobs.insert(orders.perform(Effect::Search(search)), Pending::Search(asker));
                }
                Ask::Push(overlay) => self.overlays.push(overlay),
                Ask::Copy(text, keep) => self.copy(text, keep, orders),
                Ask::Say(said) => self.toasts.answer(said, now.at),
                Ask::Celebrate(said) => self.toasts.success(said, now.at),
                Ask::Complain(said) => self.toasts.error(said),
                Ask::Go(tab, errand) if matches!(asker, Asker::Screen(_) | Asker::Overlay(jump::NAME, _)) => {
                    self.lead(tab, errand, now, orders);
                }
                Ask::Go(tab, errand) => self.go(tab, errand, now, orders),
                Ask::Keep(account) => self.account = Some(std::sync::Arc::new(account)),
                Ask::Act(action) => self.act(action, now, orders),
                Ask::Report(answer) => {
                    let screen = match asker {
                        Asker::Overlay(_, screen) | Asker::Screen(screen) => screen,
                        Asker::Desk => self.open,
                    };
                    self.bring(Asker::Screen(screen), answer, now, orders);
                }
                Ask::Wear(theme) => self.look.worn = theme,
                Ask::Quit => self.quit(orders),
            }
        }
    }

    /// Whether something is being changed. Who only looks for something may leave without a word.
    pub(super) fn is_changing(&self) -> bool {
        self.jobs.values().any(|pending| matches!(pending, Pending::Job { changes: true, .. }))
    }

    pub(super) fn awaits_secret(&self) -> bool {
        self.jobs.values().any(|job| matches!(job, Pending::Job { waited: Waited::ForSecret, .. }))
    }

    /// Whether one is on its way to the overlay of that name.
    pub(super) fn awaits_secret_for(&self, name: &str) -> bool {
        self.jobs.values().any(|job| {
            matches!(job, Pending::Job { asker: Asker::Overlay(asked, _), waited: Waited::ForSecret, .. } if *asked == name)
        })
    }

    pub(super) fn toggle_reach(&mut self, now: Now, orders: &mut Orders<Effect>) {
        if self.look.is_whole() {
            self.sign(self.look.session.narrowed());
            self.toasts.answer("you see your own keys only", now.at);
        } else {
            self.start(Asker::Desk, Job::Widen, now, orders);
        }
    }

    pub(super) fn copy_message(&mut self, message: String, orders: &mut Orders<Effect>) {
        let job = orders.perform(Effect::Copy(SecretText::new(message), Keep::Stays));
        self.jobs.insert(job, Pending::Copy { what: "Message".into(), keep: Keep::Stays });
    }

    pub(super) fn settle(&mut self, orders: &mut Orders<Effect>) {
        self.lease = None;
        let job = orders.perform(Effect::Settle);
        self.jobs.insert(job, Pending::Settle);
    }

    pub(super) fn start(&mut self, asker: Asker, job: Job, now: Now, orders: &mut Orders<Effect>) {
        let waited = match &job {
            // They come again and again, and nobody stands still for them.
            Job::Tail(_) | Job::Sparks(_) => Waited::NoMore,
            job if job.secret_of().is_some() => Waited::ForSecret,
            _ => Waited::For,
        };
        let (changes, label) = (job.changes(), job.label());
        let deed = job.said().map(|said| Cause::Deed(said.to_owned()));
        let effect = Effect::Job(std::sync::Arc::clone(&self.look.engine), self.look.session.clone(), job);
        self.jobs.insert(
            orders.perform(effect),
            Pending::Job { asker, since: now.at, waited, label, changes, deed },
        );
    }

    /// Stops waiting for the jobs whose spinner shows. They go on, since what is half written helps nobody, and
    /// what comes of them is said; only the form that asked is free again. `false` when a screen may still have
    /// something to step back from.
    pub(super) fn stop_waiting(&mut self, now: Now, orders: &mut Orders<Effect>) -> bool {
        const SAID: &str = "nobody waits any more; it goes on, and what comes of it is said";
        let (mut asked, mut stopped, mut must) = (Vec::new(), false, false);
        let top = self.overlays.top().map(Overlay::name);
        for pending in self.jobs.values_mut() {
            let Pending::Job { asker, since, waited, .. } = pending else { continue };
            match waited {
                // A question above the one that waits is closed like any other.
                Waited::ForSecret => {
                    must |= top.is_none_or(|top| matches!(asker, Asker::Overlay(name, _) if *name == top));
                }
                Waited::NoMore => {}
                Waited::For if now.at.since(*since) < PATIENCE => {}
                Waited::For => {
                    *waited = Waited::NoMore;
                    stopped = true;
                    if matches!(asker, Asker::Overlay(..)) {
                        asked.push(std::mem::replace(asker, Asker::Desk));
                    }
                }
            }
        }
        if must {
            self.toasts.answer(super::ABOUT_TO_BE_SHOWN, now.at);
        }
        if stopped && asked.is_empty() {
            self.toasts.answer(SAID, now.at);
        }
        let free = must || !asked.is_empty();
        for asker in asked {
            self.bring(asker, Answer::Refused(SAID.into()), now, orders);
        }
        free || (stopped && !self.overlays.is_empty())
    }

    fn copy(&mut self, copied: SecretText, keep: Keep, orders: &mut Orders<Effect>) {
        let what = match keep {
            Keep::Leased => "Secret".to_owned(),
            Keep::Stays if text::width(copied.expose()) <= NAMED => copied.expose().to_owned(),
            Keep::Stays => "Text".to_owned(),
        };
        self.jobs.insert(orders.perform(Effect::Copy(copied, keep)), Pending::Copy { what, keep });
    }

    pub(super) fn finished(&mut self, job: JobId, outcome: Outcome, now: Now, orders: &mut Orders<Effect>) {
        match (self.jobs.remove(&job), outcome) {
            // A question nobody waits for any more must not come between what somebody does meanwhile.
            (Some(Pending::Job { waited: Waited::NoMore, .. }), Outcome::Answered(Answer::Plan(_))) => {}
            (Some(Pending::Job { asker, deed, .. }), Outcome::Answered(answer)) => {
                self.answered(asker, deed, answer, now, orders);
            }
            (Some(Pending::Copy { what, keep }), Outcome::Copied(copied)) => match copied {
                Ok(route) => {
                    if keep == Keep::Leased {
                        self.lease = Some(Lease::start(route, now.at));
                    }
                    self.toasts.over(&Cause::Copy);
                    self.toasts.success(route.said(&what), now.at);
                }
                Err(why) => self.toasts.failure(format!("Nothing was copied: {why}."), Cause::Copy),
            },
            (Some(Pending::Search(asker)), Outcome::Found(found)) => self.found(asker, found, now, orders),
            (_, Outcome::Settled(settled)) => self.say_settled(&settled, now),
            (_, Outcome::Changed | Outcome::Gone(_)) => self.stale = true,
            _ => {}
        }
    }

    /// An effect broke on a fault of its own.
    pub(super) fn lost(&mut self, job: JobId, now: Now, orders: &mut Orders<Effect>) {
        const SAID: &str =
            "That stopped on a fault of keydeck's own. It may or may not be done: look before you try again.";
        self.stale = true;
        match self.jobs.remove(&job) {
            Some(Pending::Job { asker, deed, .. }) => {
                self.answered(asker, deed, Answer::Refused(SAID.into()), now, orders);
            }
            Some(Pending::Copy { .. } | Pending::Settle) => {
                self.toasts.failure("The clipboard stopped working.", Cause::Copy);
            }
            // Looked at again, since it is stale.
            Some(Pending::Search(Asker::Desk)) => self.counting = None,
            Some(Pending::Search(Asker::Screen(at))) => {
                if let Some(screen) = self.screens.get_mut(at) {
                    screen.lost_search();
                }
            }
            Some(Pending::Search(Asker::Overlay(name, _))) => {
                self.overlays.find(name, None, &self.look, &mut Vec::new());
            }
            None => {}
        }
    }

    fn answered(
        &mut self,
        asker: Asker,
        deed: Option<Cause>,
        answer: Answer,
        now: Now,
        orders: &mut Orders<Effect>,
    ) {
        let overlay_asked = match asker {
            Asker::Overlay(name, _) => self.overlays.names().contains(&name),
            Asker::Screen(_) | Asker::Desk => false,
        };
        match &answer {
            Answer::Part(_, events) => self.has_done(events),
            Answer::Done { said, events, .. } => {
                self.has_done(events);
                if let Some(deed) = &deed {
                    self.toasts.over(deed);
                }
                if !said.is_empty() {
                    self.toasts.success(said.clone(), now.at);
                }
            }
            Answer::Refused(why) if !overlay_asked => match deed {
                Some(deed) => self.toasts.failure(sentence(why), deed),
                None => self.toasts.error(sentence(why)),
            },
            Answer::Refused(_)
            | Answer::Recovery(_)
            | Answer::Audit(_)
            | Answer::Checked(_)
            | Answer::Doors(_)
            | Answer::Use(..)
            | Answer::Busy(_)
            | Answer::Tested(_)
            | Answer::Purse(_)
            | Answer::Plan(_)
            | Answer::Whose(_)
            | Answer::Counted(_)
            | Answer::Coming(_)
            | Answer::Sparks(_)
            | Answer::Tail(_) => {}
            Answer::Widened(session) => {
                self.sign(session.clone());
                self.toasts.answer("you see the keys of the whole agency; the audit trail notes it", now.at);
                self.look_again(now);
                self.resume(now);
            }
        }
        let alone = !self.stale && !self.shows_work(now);
        self.look_again(now);
        if self.bring(asker, answer, now, orders) == Frame::Same && alone {
            orders.still();
        }
    }

    fn has_done(&mut self, events: &[Event]) {
        self.happened(events);
        if self.look.owner.is_some() {
            // Of another process's store the answer may come before what it changed.
            self.seen.clear();
        }
    }

    /// Brings an answer to whoever asked, and says whether anything is another on the screen for it.
    fn bring(&mut self, asker: Asker, answer: Answer, now: Now, orders: &mut Orders<Effect>) -> Frame {
        let mut out = Vec::new();
        let screen = match asker {
            Asker::Desk => return Frame::Changed,
            Asker::Overlay(name, _) if self.overlays.names().contains(&name) => {
                let passed = self.overlays.tell(name, answer, &self.look, now, &mut out);
                if matches!(passed, Passed::Closed { secrecy: Secrecy::Secret, .. }) {
                    orders.wipe();
                }
                self.grant(asker, out, now, orders);
                return if passed == Passed::Still { Frame::Same } else { Frame::Changed };
            }
            Asker::Screen(screen) | Asker::Overlay(_, screen) => screen,
        };
        self.catch_up(screen);
        if let Some(screen) = self.screens.get_mut(screen) {
            screen.told(answer, &self.look, now, &mut out);
        }
        self.grant(Asker::Screen(screen), out, now, orders);
        Frame::Changed
    }

    fn say_settled(&mut self, settled: &Settled, now: Now) {
        match settled {
            Settled::Nothing => {}
            Settled::Cleared(_) => self.toasts.info("the clipboard was cleared", now.at),
            Settled::NotOurs => {
                self.toasts.info("the clipboard holds something newer and was left alone", now.at);
            }
            Settled::Failed(why) => {
                self.toasts.failure(
                    format!("The secret may still be in the clipboard: {why}. Copy something else over it."),
                    Cause::Copy,
                );
            }
        }
    }
}

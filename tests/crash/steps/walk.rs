//! All the deaths a change can die, and what they come to.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::site::{Deed, Site, Standing, was_said};
use super::step::Step;
use super::tracer::{Kill, Point, point_of};
use super::ways::Way;

/// A deed that is done again and again, each time killed at another step.
pub struct Walk<'s> {
    site: &'s Site,
    deed: &'s Deed,
    way: Way,
    after: Standing,
    /// The steps of one that is not killed.
    pub steps: Vec<Step>,
    /// What lets it come to its end.
    end: Kill,
}

/// What a walk came to.
#[derive(Debug, Default)]
pub struct Figures {
    pub deaths: usize,
    /// How often the change was found done.
    pub done: usize,
    /// How often it was said to be.
    pub said: usize,
}

/// What one death came to.
struct Found {
    done: bool,
    said: bool,
    /// The step it was met at.
    met: Option<String>,
}

/// Before, amid and after each step.
pub fn all_ways(steps: &[Step], from: usize) -> Vec<Kill> {
    let at = |number: usize| {
        let point = point_of(steps, number);
        [Some(Kill::Before(point.clone())), amid(steps, number), Some(Kill::After(point))]
    };
    (from..=steps.len()).flat_map(at).flatten().collect()
}

/// One death for each step up to `last`: where one thread does everything, before a step is after the one before.
pub fn one_way(steps: &[Step], from: usize, last: usize) -> Vec<Kill> {
    (from..=last)
        .map(|number| amid(steps, number).unwrap_or_else(|| Kill::Before(point_of(steps, number))))
        .collect()
}

fn amid(steps: &[Step], number: usize) -> Option<Kill> {
    steps[number - 1].can_be_cut.then(|| Kill::Amid(point_of(steps, number)))
}

impl<'s> Walk<'s> {
    /// Watches the deed done once; `None` where nothing can be traced.
    pub fn of(site: &'s Site, deed: &'s Deed, way: Way) -> Option<Self> {
        let (trail, said) = way(&site.copy(), deed, &Kill::Never)?;
        assert!(was_said(&said, deed), "{said:?}");
        let steps = trail.steps;
        // There is no step more than all there are of the last one's name. A server goes on after its answer.
        let one_more = || Point { nth: usize::MAX, ..point_of(&steps, steps.len()) };
        let end = if trail.code.is_some() { Kill::Before(one_more()) } else { Kill::Never };
        Some(Self { site, deed, way, after: site.after(deed), steps, end })
    }

    /// The number of the first step that is not part of opening the store.
    pub fn first_of_its_own(&self) -> usize {
        self.steps.iter().position(Step::keeps_names).unwrap() + 2
    }

    /// Dies all these deaths, as many at once as there are processors. Each must be met, and nothing be wrong after it.
    #[track_caller]
    pub fn die(&self, kills: &[Kill]) -> Figures {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut found = Vec::new();
            while let Some(kill) = kills.get(next.fetch_add(1, Ordering::SeqCst)) {
                let one = self.die_once(kill);
                found.push(one.map_err(|wrong| self.told(kill, &wrong)));
            }
            found
        };
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let found: Vec<Result<Found, String>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        let (mut figures, mut met) = (Figures::default(), BTreeSet::new());
        for one in found {
            let one = one.unwrap_or_else(|wrong| panic!("{wrong}"));
            figures.deaths += usize::from(one.met.is_some());
            figures.done += usize::from(one.done);
            figures.said += usize::from(one.said);
            met.extend(one.met);
        }
        // What needs not be met each time was met at least once.
        let all: BTreeSet<String> =
            kills.iter().filter_map(|kill| Some(format!("{:?}", kill.point()?.step))).collect();
        assert_eq!(met, all, "every step there is was met");
        figures
    }

    /// Is not killed, though it is waited for at the step after the last.
    #[track_caller]
    pub fn comes_to_its_end(&self) {
        let found =
            self.die_once(&self.end).unwrap_or_else(|wrong| panic!("{}", self.told(&self.end, &wrong)));
        assert!(found.met.is_none() && found.said && found.done, "{}", self.told(&self.end, "not done"));
    }

    fn die_once(&self, kill: &Kill) -> Result<Found, String> {
        let desk = self.site.copy();
        let (trail, said) = (self.way)(&desk, self.deed, kill).ok_or("it cannot be traced")?;
        let met = kill.point().filter(|_| trail.met).map(|point| format!("{:?}", point.step));
        // How many words a server needs is up to the moment; whoever has the last of them has the answer.
        let may_be_missed = kill.point().is_none_or(|point| point.nth > 1 || point.step.is_a_word());
        if met.is_none() && !(may_be_missed && was_said(&said, self.deed)) {
            return Err(format!("it was not met: {:?}, {said:?}", trail.steps));
        }
        let said = was_said(&said, self.deed);
        let done = self.site.check(&desk, self.deed, &self.after, said)?;
        Ok(Found { done, said, met })
    }

    fn told(&self, kill: &Kill, wrong: &str) -> String {
        format!("`keydeck {}`, {kill:?}: {wrong}", self.deed.words.join(" "))
    }
}

//! Two ways to the same change, each in a process that is killed: a command that has the store to itself, and a
//! server that has it while the command is attached.

use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::mpsc;

use rustix::process::{Pid, Signal, kill_process};

use super::site::{Deed, command, person};
use super::tracer::{Counter, Kill, Trail, Victim};
use crate::support::desk::{Desk, Said};

/// A way: does a deed on a store and kills the process that writes. What that process did, and what the person at the
/// command line was told. `None` where nothing can be traced.
pub type Way = fn(&Desk, &Deed, &Kill) -> Option<(Trail, Said)>;

/// The command does it itself, and is killed.
pub fn alone(desk: &Desk, deed: &Deed, kill: &Kill) -> Option<(Trail, Said)> {
    let mut victim = Victim::start(&command(desk, deed.words))?;
    let (mut out, mut err) = (victim.child.stdout.take().unwrap(), victim.child.stderr.take().unwrap());
    let trail = victim.follow(&desk.data(), kill, &Counter::from_the_start());
    let mut said = Said { code: trail.code.unwrap_or(-1), ..Said::default() };
    // A few lines: less than a pipe holds.
    out.read_to_string(&mut said.out).unwrap();
    err.read_to_string(&mut said.err).unwrap();
    Some((trail, said))
}

/// A server does it for the command, and is killed: at the step, or else as soon as the command has its answer.
pub fn served(desk: &Desk, deed: &Deed, kill: &Kill) -> Option<(Trail, Said)> {
    let counter = Counter::default();
    let (started, start) = mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        let steps = &counter;
        let server = scope.spawn(move || {
            let mut victim = Victim::start(&command(desk, &["serve", "--listen", "127.0.0.1:0"]))?;
            started.send((victim.child.id(), victim.child.stderr.take())).unwrap();
            Some(victim.follow(&desk.data(), kill, steps))
        });
        let Ok((id, Some(err))) = start.recv() else { return None };
        let mut lines = BufReader::new(err).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("listening on")), "it does not serve");
        // It writes once by itself, and is quiet then.
        counter.wait_for_a_sync();
        counter.count();
        let said = person(desk).says(deed.words);
        let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
        // Its number is not anybody else's before it was waited for; it may be dead already.
        let _ = kill_process(pid, Signal::KILL);
        Some((server.join().unwrap()?, said))
    })
}

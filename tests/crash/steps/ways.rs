//! Two ways to the same change, each in a process that is killed: a command that has the store to itself, and a
//! server that has it while the command is attached.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::mpsc;

use rustix::process::{Pid, Signal, kill_process};

use super::site::{Deed, command, person};
use super::tracer::{Counter, Harm, Kill, Trail, Victim};
use crate::support::desk::{Desk, Said};

/// A way: does a deed on a store and kills the process that writes. What that process did, and what the person at the
/// command line was told. `None` where nothing can be traced.
pub type Way = fn(&Desk, &Deed, &Kill) -> Option<(Trail, Said)>;

/// The command does it itself, and is killed.
pub fn alone(desk: &Desk, deed: &Deed, kill: &Kill) -> Option<(Trail, Said)> {
    by_itself(desk, &command(desk, deed.words), Harm::Death(kill))
}

/// A server does it for the command, and is killed: at the step, or else as soon as the command has its answer.
pub fn served(desk: &Desk, deed: &Deed, kill: &Kill) -> Option<(Trail, Said)> {
    beside_a_server(desk, Harm::Death(kill), |_, _| person(desk).says(deed.words))
}

/// A command that has the store to itself.
pub fn by_itself(desk: &Desk, command: &Command, harm: Harm<'_>) -> Option<(Trail, Said)> {
    let mut victim = Victim::start(command)?;
    let (mut out, mut err) = (victim.child.stdout.take().unwrap(), victim.child.stderr.take().unwrap());
    let trail = victim.follow(&desk.data(), harm, &Counter::from_the_start());
    let mut said = Said { code: trail.code.unwrap_or(-1), ..Said::default() };
    // A few lines: less than a pipe holds.
    out.read_to_string(&mut said.out).unwrap();
    err.read_to_string(&mut said.err).unwrap();
    Some((trail, said))
}

/// What somebody does while a server has the store; then the server is killed, unless it has been.
pub fn beside_a_server<T>(
    desk: &Desk,
    harm: Harm<'_>,
    does: impl FnOnce(&Counter, SocketAddr) -> T,
) -> Option<(Trail, T)> {
    let counter = Counter::default();
    let (started, start) = mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        let steps = &counter;
        let server = scope.spawn(move || {
            let mut victim = Victim::start(&command(desk, &["serve", "--listen", "127.0.0.1:0"]))?;
            started.send((victim.child.id(), victim.child.stderr.take())).unwrap();
            Some(victim.follow(&desk.data(), harm, steps))
        });
        let Ok((id, Some(err))) = start.recv() else { return None };
        let mut lines = BufReader::new(err).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.split_once("http://")?.1.split(' ').next()?.parse().ok());
        // It writes once by itself, and is quiet then.
        counter.wait_for_a_sync();
        counter.count();
        let done = does(&counter, address.unwrap());
        let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
        // Its number is not anybody else's before it was waited for; it may be dead already.
        let _ = kill_process(pid, Signal::KILL);
        Some((server.join().unwrap()?, done))
    })
}

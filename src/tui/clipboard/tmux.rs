//! The texts tmux keeps for pasting. What is sent to the terminal's clipboard tmux also keeps itself, in a list that
//! no sequence empties: only tmux's own command does. So keydeck asks for each text there and has its own deleted.
//!
//! The tmux that is asked is the one this console runs in (`TMUX`); of one on the person's own machine, beyond ssh,
//! keydeck knows nothing.

use std::{
    process::{Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::Duration,
};

use zeroize::Zeroizing;

use super::Fingerprint;

/// How long all of it may take: the console must end within a second even when tmux hangs.
const PATIENCE: Duration = Duration::from_millis(600);
/// As many texts as tmux keeps unless told otherwise (its option `buffer-limit`).
const NEWEST: usize = 50;

/// Deletes what `print` was taken from, wherever it stands in tmux's list. Does nothing outside tmux.
pub fn forget(print: &Fingerprint) {
    if std::env::var_os("TMUX").is_none_or(|socket| socket.is_empty()) {
        return;
    }
    let (tell, done) = channel();
    let print = print.clone();
    let work = move || {
        delete(&print, &mut ask);
        // Nobody may be waiting any more; the work is done all the same.
        let _unheard = tell.send(());
    };
    if thread::Builder::new().name("tmux".to_owned()).spawn(work).is_ok() {
        let _in_time = done.recv_timeout(PATIENCE);
    }
}

/// What tmux says to some words; nothing when it refuses.
type Answer = Option<Zeroizing<Vec<u8>>>;

fn delete(print: &Fingerprint, ask: &mut dyn FnMut(&[&str]) -> Answer) {
    let Some(names) = ask(&["list-buffers", "-F", "#{buffer_name}"]) else { return };
    let names = String::from_utf8_lossy(&names);
    for name in names.lines().take(NEWEST) {
        if ask(&["show-buffer", "-b", name]).is_some_and(|text| Fingerprint::of_bytes(&text) == *print) {
            ask(&["delete-buffer", "-b", name]);
        }
    }
}

/// Runs tmux; no text of ours goes that way.
fn ask(words: &[&str]) -> Answer {
    let mut command = Command::new("tmux");
    let command = command.args(words).stdin(Stdio::null()).stderr(Stdio::null());
    let done = command.output().ok()?;
    let answer = Zeroizing::new(done.stdout);
    done.status.success().then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_text_is_deleted_wherever_it_stands() {
        let mut deleted = Vec::new();
        let mut tmux = |words: &[&str]| {
            let answer = match *words {
                ["list-buffers", ..] => "buffer2\nshopping\nbuffer0\n",
                ["show-buffer", _, "buffer2"] => "shopping list",
                ["show-buffer", _, "buffer0" | "shopping"] => "kdag_secret",
                ["delete-buffer", _, name] => {
                    deleted.push(name.to_owned());
                    ""
                }
                _ => return None,
            };
            Some(Zeroizing::new(answer.as_bytes().to_vec()))
        };
        delete(&Fingerprint::of("kdag_secret"), &mut tmux);
        assert_eq!(deleted, ["shopping", "buffer0"]);
    }
}

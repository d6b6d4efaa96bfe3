//! `keydeck notices test`, and what a sweep says of the messages it sent.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::output::shown;
use super::times;
use crate::deliver::{self, Report, Setup};
use crate::domain::Command;
use crate::domain::delivery::{Channel, ChannelName};
use crate::engine;

/// Words of `notices test`.
#[derive(Debug, Args)]
pub struct Test {
    /// One channel; by default all of them
    channel: Option<ChannelName>,
}

/// Words of `notices move`.
#[derive(Debug, Args)]
pub struct Move {
    /// The channel it waits for
    pub channel: ChannelName,
    /// The channel it is sent through from then on
    pub to: ChannelName,
}

/// Words of `notices drop`.
#[derive(Debug, Args)]
pub struct Drop {
    /// The channel it waits for
    pub channel: ChannelName,
}

/// What became of a message, in JSON.
#[derive(Serialize)]
pub struct Line {
    channel: String,
    accepted: bool,
    why: Option<String>,
}

impl Line {
    /// A message that was not accepted.
    pub fn failed((channel, why): &(ChannelName, String)) -> Self {
        Self { channel: channel.to_string(), accepted: false, why: Some(why.clone()) }
    }
}

/// Says to a person what a sweep delivered, and to anybody what it could not.
pub fn tell(deck: &Deck, report: &Report) {
    match report.sent {
        0 => {}
        1 => deck.output.say("1 message was delivered."),
        sent => deck.output.say(&format!("{sent} messages were delivered.")),
    }
    for channel in &report.taken_over {
        deck.output.warn(&format!(
            "another process ended while it delivered through {channel}. What was under way was sent again, with its id."
        ));
    }
    for (channel, why) in &report.failed {
        deck.output.warn(&format!(
            "notices could not be delivered through {channel}, and are tried for a week: {}",
            shown(why)
        ));
    }
}

/// Says which channels do not deliver, besides what a sweep has just tried; whether any does not.
pub fn tell_failing(deck: &Deck, signed: &Signed, report: &Report) -> bool {
    let (named, now) = (signed.engine.condition().channels, signed.now());
    let state = signed.engine.state();
    let failing = engine::failing(&state, named.as_deref(), now);
    for (channel, failing) in &failing {
        if !report.failed.iter().any(|(name, _)| *name == channel.name) {
            let since = times::both(failing.since, now);
            let why = shown(&failing.why);
            deck.output.warn(&format!("{} delivers nothing since {since}: {why}", channel.name));
        }
    }
    !failing.is_empty() || !report.failed.is_empty()
}

/// Says which channels of our configuration the process that has the store does not have; whether there is any.
pub fn tell_unnamed(deck: &Deck, signed: &Signed, ours: &[Setup]) -> bool {
    let Some(named) = signed.engine.condition().channels.filter(|_| signed.local.is_none()) else {
        return false;
    };
    let ours = ours.iter().map(|setup| setup.name);
    let unnamed: Vec<String> =
        ours.filter(|name| !named.contains(name)).map(|name| name.to_string()).collect();
    if !unnamed.is_empty() {
        deck.output.warn(&format!(
            "the process that has the store open delivers nothing through {}: its configuration does not name that. End it, or \
             start it with this configuration.",
            unnamed.join(", ")
        ));
    }
    !unnamed.is_empty()
}

/// Runs `notices move` and `notices drop`.
pub fn empty(deck: &Deck, channel: ChannelName, into: Option<ChannelName>) -> Outcome {
    let signed = deck.sign_in()?;
    if let (Some(engine), Ok(named)) = (&signed.local, &deck.config.channels) {
        // Before a sweep tells anything through it.
        let new: Vec<Setup> = named.iter().filter(|setup| Some(setup.name) == into).cloned().collect();
        deliver::begin(engine, &new);
    }
    let (waiting, goes_on, stays) = {
        let state = signed.engine.state();
        let (known, other) = (state.channel(channel), into.and_then(|into| state.channel(into)));
        let goes_on = other.is_some_and(Channel::has_told_nothing);
        let stays = !goes_on && known.is_some_and(Channel::is_under_way);
        (known.map_or(0, |channel| channel.waiting.len()), goes_on, stays)
    };
    signed.engine.execute(&signed.session, Command::EmptyChannel { channel, into })?;
    let messages = if waiting == 1 { "1 message".to_owned() } else { format!("{waiting} messages") };
    deck.output.say(&match into {
        Some(into) if goes_on && waiting == 0 => format!("{into} goes on where {channel} stopped."),
        Some(into) if goes_on => {
            format!("{messages} of {channel} will be sent through {into}. It goes on where {channel} stopped.")
        }
        Some(into) if stays => format!(
            "{messages} of {channel} will be sent through {into}. Not everybody was told what {channel} was telling: name it in the \
             configuration until it is done, or give that up with `keydeck notices drop {channel}`."
        ),
        Some(into) => format!("{messages} of {channel} will be sent through {into}."),
        None => format!("{messages} of {channel} will be sent to nobody; nothing is told of them any more."),
    });
    Ok(ExitCode::SUCCESS)
}

/// Runs `notices test`: exit code 1 when a message is not accepted.
pub fn test(deck: &Deck, args: &Test) -> Outcome {
    let all = deck.channels()?;
    let chosen: Vec<_> =
        all.iter().filter(|setup| args.channel.is_none_or(|name| name == setup.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = all.iter().map(|setup| setup.name.as_str()).collect();
        return Err(Fault::usage(match args.channel.filter(|_| !names.is_empty()) {
            Some(name) => format!("There is no channel {name}. There are: {}.", names.join(", ")),
            None => "No channel is set up. A table [channel.NAME] in the configuration file does it; the guide to delivery \
                     shows how."
                .into(),
        }));
    }
    let signed = deck.sign_in()?;
    let to = signed.see(|view| view.operator().map(|operator| operator.name.clone()));
    let mut lines = Vec::new();
    let _others = signed.waiting();
    for setup in chosen {
        let sent = deliver::test(&*signed.engine, setup, to.as_ref().map_or("", |name| name.as_str()));
        let why = sent.err().map(|why| why.to_string());
        if !deck.output.is_json() {
            deck.output.text(&match &why {
                None => format!("{}: accepted\n", setup.name),
                // What a program or a server said, not what we say.
                Some(why) => format!("{}: not accepted: {}\n", setup.name, shown(why)),
            })?;
        }
        lines.push(Line { channel: setup.name.to_string(), accepted: why.is_none(), why });
    }
    let failed = lines.iter().any(|line| !line.accepted);
    if deck.output.is_json() {
        deck.output.value(&lines)?;
    }
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

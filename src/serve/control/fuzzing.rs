//! What must hold for any bytes at all that somebody sends to the control socket: entry points for fuzzers and
//! property tests, no part of the API.

pub use super::frame::PROTOCOL;
use super::frame::{self, REQUEST_MAX};
use super::wire::{Ask, BroughtLine, Reach, Request, Said, With};
use crate::domain::tail::Watched;
use crate::domain::{Bearer, Command, KeyId, Name, PublicId, Role};
use crate::engine::Question;
use crate::engine::backup::Want;
use crate::engine::open::Wants;
use zeroize::Zeroizing;

/// A frame is refused or read, a request is refused or understood; nothing panics, nothing large is allocated.
pub fn request(bytes: &[u8]) {
    let mut from = bytes;
    let _ = frame::greeting(&mut from);
    let mut from = bytes;
    while let Ok(Some(content)) = frame::read(&mut from, REQUEST_MAX) {
        let _ = frame::message::<Ask<'_>>(&content);
        let _ = frame::message::<Said<'_>>(&content);
    }
    let _ = frame::message::<Ask<'_>>(bytes);
    let _ = frame::message::<Said<'_>>(bytes);
}

/// Honest requests as frames, to be damaged.
pub fn samples() -> Vec<Zeroizing<Vec<u8>>> {
    let name = Name::new("Harbour").into_iter();
    let sign_in = With::Passphrase { name: "maria", passphrase: "correct horse battery staple" };
    let mut all = vec![
        Request::SignIn { console: true, with: sign_in, read_only: false, wants: Wants::All },
        Request::SignIn {
            console: false,
            with: With::KeyFile { content: &[7; 32] },
            read_only: true,
            wants: Wants::Named,
        },
        Request::Act {
            command: Command::AddLocations(name.clone().collect()),
            brought: BroughtLine::Nothing,
        },
        Request::Verify { presented: b"kdag_", wanted: "contacts.read".parse().into_iter().collect() },
        Request::Ask(Question::Audit { before: Some(9), limit: 100, about: None }),
        Request::Ask(Question::Tried(b"kdag_")),
        Request::Ask(Question::Called("Nightly export")),
        Request::Ask(Question::History(Bearer::Key(KeyId(PublicId::NOBODY)))),
        Request::Ask(Question::Copy(Want::Rows(Some(b"a/1".to_vec())))),
        Request::Ask(Question::Whose(b"kdag_")),
        Request::Ask(Question::Span),
        Request::Ask(Question::Busy(vec![Bearer::Key(KeyId(PublicId::NOBODY))])),
        Request::Ask(Question::Sparks(vec![KeyId(PublicId::NOBODY); 3])),
        Request::Ask(Question::Tail(Some(Watched::Key(KeyId(PublicId::NOBODY))))),
    ];
    all.extend(name.map(|name| Request::Act {
        command: Command::AddOperator { name, role: Role::Admin },
        brought: BroughtLine::KeyFile(&[7; 32]),
    }));
    let frame = |what| frame::frame(&Ask { id: 1, reach: Reach::Own, what });
    all.into_iter().map(frame).collect()
}

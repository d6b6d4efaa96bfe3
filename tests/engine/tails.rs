//! Who watches hears who knocks: what they may see of it, no secret and no path, all of it counted whatever is left out, and
//! nothing is kept when nobody watches.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::sync::Arc;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::tail::{Totals, Watched};
use keydeck::domain::{
    Actor, AppId, Bearer, Command, Counted, Grace, KeyId, LocationId, Motive, Name, NewApp, NewKey, Note,
    OperatorId, Place, Profile, PublicId, Reason, Rotation, SourceApp, Timestamp, Url, UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{EngineError, LookOnly, Origin, Session, Via};

const START: Timestamp = Timestamp(1_790_000_000_000);

struct House {
    open: Open,
    clock: TestClock,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl House {
    fn new() -> Self {
        let clock = TestClock::at(START);
        let with = Arc::new(clock.clone());
        let open = in_memory(name("Acme"), name("maria"), with, Via::Console, Box::new(OsEntropy)).unwrap();
        Self { open, clock }
    }

    fn run(&self, command: Command) {
        self.open.engine.execute(&self.open.session, command).unwrap();
    }

    fn issue(&self, called: &str, place: Place) -> (KeyId, String) {
        let scopes = vec!["contacts.read".into()];
        let new =
            NewKey { name: name(called), place, scopes, expiry: None, note: Note::default(), decoy: false };
        let done = self.open.engine.execute(&self.open.session, Command::IssueKey(new)).unwrap();
        let token = done.token.unwrap();
        (KeyId(token.id()), token.reveal().to_owned())
    }

    fn locate(&self, called: &str) -> LocationId {
        self.run(Command::AddLocations(vec![name(called)]));
        let state = self.open.engine.state();
        state.locations().find(|location| location.name.as_str() == called).unwrap().id
    }

    fn knock(&self, token: &str, wanted: &str, agent: &str) {
        let wanted: Vec<_> = wanted.split_whitespace().map(|scope| scope.parse().unwrap()).collect();
        let origin = Origin { address: Some([10, 2, 0, 7].into()), agent: Some(agent.as_bytes()) };
        self.open.engine.verify_from(token.as_bytes(), &wanted, origin);
    }

    fn whole(&self) -> Session {
        let done = self.open.engine.execute(&self.open.session, Command::OpenAgencyView).unwrap();
        done.session.unwrap()
    }

    /// What arrived, each in words; watching goes on.
    fn hears(&self, session: &Session, watched: Watched) -> Vec<String> {
        let tail = self.open.engine.tail(session, watched).unwrap();
        let words = tail.arrivals.iter().map(|arrival| {
            let decided = arrival.reason.map_or("allowed", Reason::code);
            format!("{} {decided} {} {}", arrival.name, arrival.wanted(), arrival.from)
        });
        words.collect()
    }
}

#[test]
fn who_watches_hears_what_came_since_with_why_not_and_from_where() {
    let house = House::new();
    let (_, token) = house.issue("Booking widget", Place::Agency);
    let (old, dead) = house.issue("Reporting", Place::Agency);
    house.knock(&token, "", "before/1.0");
    let session = &house.open.session;
    assert!(house.hears(session, Watched::All).is_empty(), "watching begins with the first question");
    house.knock(&token, "contacts.read", "kiosk/2.1");
    house.knock(&token, "contacts.read contacts.write", "kiosk/2.1");
    house.run(Command::RevokeKey(old, Motive::default()));
    house.knock(&dead, "", &format!("python {dead}"));
    let heard = [
        "Booking widget allowed contacts.read 10.2.0.7 by kiosk/2.1",
        "Booking widget scope contacts.read contacts.write 10.2.0.7 by kiosk/2.1",
        "Reporting revoked - 10.2.0.7 by (a token)",
    ];
    assert_eq!(house.hears(session, Watched::All), heard);
    assert!(house.hears(session, Watched::All).is_empty(), "each is told once");
}

#[test]
fn a_key_its_location_and_all_are_watched_apart_and_a_session_watches_one_thing() {
    let house = House::new();
    let mitte = house.locate("Berlin Mitte");
    let (key, token) = house.issue("Booking widget", Place::Location(mitte));
    let (other, elsewhere) = house.issue("Export", Place::Agency);
    let session = &house.open.session;
    for (watched, counted) in
        [(Watched::Key(key), 1), (Watched::Key(other), 1), (Watched::Location(mitte), 1), (Watched::All, 2)]
    {
        assert!(house.hears(session, watched).is_empty(), "what is new begins anew");
        house.knock(&token, "", "a");
        house.knock(&elsewhere, "", "a");
        assert_eq!(house.hears(session, watched).len(), counted, "{watched:?}");
    }
    let refused = house.open.engine.tail(session, Watched::Key("7HqP2mVx9KtR".parse().unwrap()));
    assert_eq!(refused.map(drop).unwrap_err().code(), "no_such_key");
}

#[test]
fn both_halves_of_a_rotation_are_one_key_to_who_watches_it() {
    let house = House::new();
    let (old, token) = house.issue("Export", Place::Agency);
    let halves = Rotation { id: None, grace: Grace::DEFAULT, counted: Counted::FromNow, expiry: None };
    let rotate = Command::RotateKey { key: old, rotation: halves };
    let done = house.open.engine.execute(&house.open.session, rotate).unwrap();
    let successor = done.token.unwrap();
    let (new, fresh) = (KeyId(successor.id()), successor.reveal());
    let session = &house.open.session;
    for watched in [Watched::Key(old), Watched::Key(new)] {
        house.hears(session, watched);
        house.knock(&token, "", "old");
        house.knock(fresh, "", "new");
        assert_eq!(house.hears(session, watched).len(), 2, "{watched:?}");
    }
}

#[test]
fn an_access_token_knocks_at_its_app_and_a_key_of_the_app_does_too() {
    let house = House::new();
    let profile = Profile {
        uri: Url::new("https://bot.example").unwrap(),
        description: Note::default(),
        user_type: UserType::Guest,
        source: SourceApp::Bot,
        post_login: Vec::new(),
        post_logout: Vec::new(),
    };
    let scopes = vec!["contacts.read".into()];
    let new = NewApp {
        name: name("Guest app"),
        profile,
        method: AuthMethod::Jwt,
        scopes,
        terms: keydeck::domain::Terms::default(),
    };
    let done = house.open.engine.execute(&house.open.session, Command::CreateApp(new)).unwrap();
    let secret = done.token.unwrap();
    let app = AppId(secret.id());
    let client = house.open.engine.authenticate(&app.to_string(), secret.reveal().as_bytes()).unwrap();
    let granted = house.open.engine.grant(&client, None, None).unwrap();
    let session = &house.open.session;
    house.hears(session, Watched::App(app));
    house.knock(granted.token.reveal(), "contacts.read", "shop/1.0");
    house.run(Command::PauseApp(app));
    house.knock(granted.token.reveal(), "contacts.read", "shop/1.0");
    let heard = [
        "Guest app allowed contacts.read 10.2.0.7 by shop/1.0",
        "Guest app app_disabled contacts.read 10.2.0.7 by shop/1.0",
    ];
    assert_eq!(house.hears(session, Watched::App(app)), heard);
}

#[test]
fn what_nobody_knows_is_a_number_and_only_for_who_sees_the_whole_agency() {
    let house = House::new();
    let (key, token) = house.issue("Export", Place::Agency);
    let strange = format!("{}{}", &token[..20], &token[21..]);
    let count = |session: &Session, watched| {
        house.open.engine.tail(session, watched).unwrap();
        house.knock(&strange, "", "guess/1");
        house.knock("nonsense", "", "guess/1");
        let tail = house.open.engine.tail(session, watched).unwrap();
        assert!(tail.arrivals.is_empty());
        let mut totals = Totals::default();
        totals.add(&tail);
        (totals.strangers, totals.refused)
    };
    let whole = house.whole();
    assert_eq!(count(&whole, Watched::All), (2, 0));
    assert_eq!(count(&whole, Watched::Key(key)), (0, 0));
    assert_eq!(count(&house.open.session, Watched::All), (0, 0));
}

#[test]
fn a_flood_is_counted_to_the_last_and_told_in_part_and_a_refusal_is_not_drowned_in_it() {
    let house = House::new();
    let (_, token) = house.issue("Export", Place::Agency);
    let (paused, refused) = house.issue("Paused", Place::Agency);
    house.run(Command::PauseKey(paused, None));
    let session = &house.open.session;
    house.hears(session, Watched::All);
    for n in 0..10_000 {
        house.knock(&token, "", "flood");
        if n == 5_000 {
            house.knock(&refused, "", "one");
        }
    }
    let tail = house.open.engine.tail(session, Watched::All).unwrap();
    let mut totals = Totals::default();
    totals.add(&tail);
    assert_eq!((totals.allowed, totals.refused), (10_000, 1));
    assert!(tail.arrivals.len() <= 257, "{}", tail.arrivals.len());
    assert_eq!(u64::try_from(tail.arrivals.len()).unwrap() + tail.left_out, 10_001);
    let place = tail.arrivals.iter().position(|arrival| arrival.bearer == Bearer::Key(paused)).unwrap();
    assert!((64..=192).contains(&place), "where it came: {place}");
}

#[test]
fn who_does_not_ask_for_five_seconds_or_says_so_watches_no_more() {
    let house = House::new();
    let (_, token) = house.issue("Export", Place::Agency);
    let session = &house.open.session;
    house.hears(session, Watched::All);
    house.clock.pass(4_000);
    house.knock(&token, "", "a");
    assert_eq!(house.hears(session, Watched::All).len(), 1);
    house.knock(&token, "", "a");
    house.clock.pass(5_000);
    let tail = house.open.engine.tail(session, Watched::All).unwrap();
    assert_eq!(
        (tail.arrivals.len(), tail.since),
        (0, Timestamp(START.0 + 9_000)),
        "it begins anew, and says so"
    );
    house.knock(&token, "", "a");
    house.open.engine.stop_watching(session).unwrap();
    assert!(house.hears(session, Watched::All).is_empty());
}

#[test]
fn who_only_looks_may_watch_and_who_may_no_more_is_told_so() {
    let house = House::new();
    let (_, token) = house.issue("Export", Place::Agency);
    let session = &house.open.session;
    let looking = LookOnly::over(house.open.engine.clone(), session);
    looking.tail(session, Watched::All).unwrap();
    house.knock(&token, "", "a");
    assert_eq!(looking.tail(session, Watched::All).unwrap().arrivals.len(), 1);
    looking.verify(token.as_bytes(), &[]);
    assert!(looking.tail(session, Watched::All).unwrap().is_quiet(), "a look is no knock");
    let Actor { access, .. } = session.actor();
    let nobody = Actor { operator: OperatorId(PublicId::NOBODY), access };
    let stranger = Session::stand_in(nobody, Via::Console);
    let refused: EngineError = house.open.engine.tail(&stranger, Watched::All).unwrap_err();
    assert_eq!(refused.code(), "signed_out");
}

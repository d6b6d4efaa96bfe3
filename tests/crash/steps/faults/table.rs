//! What people ask of a store at the command line: a row for each way to a command, and a match over all commands, so
//! that one without a row does not compile.

use keydeck::domain::Command;

/// A key file or a code, and whether it opens the store before the deed and after it.
#[derive(Clone, Copy, Debug)]
pub struct Lock {
    pub key: &'static str,
    pub before: bool,
    pub after: bool,
}

/// Something a person does.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    pub words: &'static [&'static str],
    /// What the trail tells afterwards, in order.
    pub tells: &'static [&'static str],
    /// Whose token is answered how afterwards, if what it does takes access away.
    pub ends: Option<(&'static str, &'static str)>,
    /// Whose token works afterwards and did not before.
    pub gives: Option<&'static str>,
    /// Who gets in.
    pub locks: &'static [Lock],
    /// What an answer holds that tells of a part that was done.
    pub part: Option<&'static str>,
    /// The files it makes.
    pub files: &'static [&'static str],
    /// How many milliseconds the wall clock of the machine is ahead, if it is.
    pub clock: Option<&'static str>,
    /// Whether the last thing it tells only tidies up: what was done holds without it.
    pub tidies: bool,
    /// What the trail tells besides when the secret cannot be written to its file.
    pub loses: &'static [&'static str],
}

impl Deed {
    const fn new(words: &'static [&'static str], tells: &'static [&'static str]) -> Self {
        Self {
            words,
            tells,
            ends: None,
            gives: None,
            locks: &[],
            part: None,
            tidies: false,
            files: &[],
            clock: None,
            loses: &[],
        }
    }

    /// Whether an event is its own, and no look at all keys before it.
    pub fn is_about(&self, event: &str) -> bool {
        self.tells.contains(&event) || event != "view.agency"
    }

    const fn ends(self, whose: &'static str, answer: &'static str) -> Self {
        Self { ends: Some((whose, answer)), ..self }
    }

    const fn gives(self, whose: &'static str) -> Self {
        Self { gives: Some(whose), ..self }
    }

    const fn locks(self, locks: &'static [Lock]) -> Self {
        Self { locks, ..self }
    }

    const fn in_parts(self, part: &'static str) -> Self {
        Self { part: Some(part), ..self }
    }

    const fn tidying(self) -> Self {
        Self { tidies: true, ..self }
    }

    const fn loses(self, loses: &'static [&'static str]) -> Self {
        Self { loses, ..self }
    }

    const fn under_a_clock_ahead(self, ms: &'static str) -> Self {
        Self { clock: Some(ms), ..self }
    }

    const fn makes(self, files: &'static [&'static str]) -> Self {
        Self { files, ..self }
    }
}

const fn new_key(key: &'static str) -> Lock {
    Lock { key, before: false, after: true }
}

const fn old_key(key: &'static str) -> Lock {
    Lock { key, before: true, after: false }
}

macro_rules! table {
    ($($command:ident => $deeds:expr,)*) => {
        /// Every row.
        pub fn deeds() -> Vec<Deed> {
            const ALL: &[&[Deed]] = &[$($deeds,)*];
            ALL.concat()
        }

        /// A command without a row stops here.
        const _: fn(&Command) = |command| match command {
            $(Command::$command { .. } => (),)*
        };
    };
}

/// The data directory, seen from the home: a file there is on the disk that fails.
macro_rules! on_the_disk {
    ($name:literal) => {
        concat!(".local/share/keydeck/", $name)
    };
}

table! {
    // There is no store to copy yet: see `rows`.
    Found => &[],
    // Each row begins and ends with these; the first is walked from its first step on.
    StartSession => &[],
    EndSession => &[],
    OpenAgencyView => &[Deed::new(&["key", "list", "--all"], &["view.agency"])],
    ReadAudit => &[Deed::new(&["audit", "list"], &["audit.read"])],
    ExportAudit => &[Deed::new(&["audit", "export"], &["audit.export"])],
    // Its file lies beside the store or elsewhere, and is there whole or not at all: see what the engine promises of backups.
    BackUp => &[],
    CloseBackup => &[],
    Upgrade => &[],
    // It is done in several commits, after each of which the trail is whole: see `trim`.
    TrimAudit => &[],
    PutBack => &[],
    AddOperator => &[
        Deed::new(
            &["operator", "add", "ida", "--role", "viewer", "--new-key-file", on_the_disk!("ida.key")],
            &["operator.add"],
        )
        .locks(&[new_key(on_the_disk!("ida.key"))])
        .makes(&[on_the_disk!("ida.key")]),
    ],
    SetRole => &[
        Deed::new(&["operator", "role", "otto", "viewer"], &["operator.role"]),
        Deed::new(&["operator", "role", "otto", "admin"], &["operator.role"]),
    ],
    SetSecret => &[
        Deed::new(
            &["operator", "passphrase", "otto", "--new-key-file", on_the_disk!("other.key")],
            &["operator.passphrase"],
        )
        .locks(&[old_key("otto.key"), new_key(on_the_disk!("other.key"))])
        .makes(&[on_the_disk!("other.key")]),
    ],
    ReplaceRecovery => &[
        Deed::new(
            &[
                "operator", "passphrase", "otto", "--recovery-file", "recovery", "--new-key-file",
                on_the_disk!("other.key"),
            ],
            &["operator.passphrase", "recovery.renew", "recovery.renew"],
        )
        .locks(&[old_key("otto.key"), new_key(on_the_disk!("other.key"))])
        .makes(&[on_the_disk!("other.key")])
        .in_parts("signs in with the new secret")
        .tidying(),
    ],
    DisableOperator => &[
        Deed::new(&["operator", "disable", "otto", "--keys", "stop"], &["operator.disable"])
            .ends("Otto's", "deny owner_disabled")
            .locks(&[old_key("otto.key")]),
        Deed::new(&["operator", "disable", "otto", "--keys", "give:cron"], &["operator.disable"])
            .locks(&[old_key("otto.key")]),
    ],
    EnableOperator => &[
        Deed::new(
            &["operator", "enable", "ada", "--new-key-file", on_the_disk!("ada2.key")],
            &["operator.enable"],
        )
        .gives("Ada's")
        .locks(&[new_key(on_the_disk!("ada2.key"))])
        .makes(&[on_the_disk!("ada2.key")]),
    ],
    AddLocations => &[
        Deed::new(&["location", "add", "Port", "Mill"], &["location.add"]),
        Deed::new(&["location", "add", "--from", "many.csv"], &["location.add", "location.add"])
            .in_parts("locations were added"),
    ],
    RenameLocation => &[Deed::new(&["location", "rename", "Harbour", "Port"], &["location.rename"])],
    RemoveLocation => &[
        Deed::new(&["location", "remove", "Harbour"], &["location.remove"])
            .ends("Branch", "deny location_disabled"),
    ],
    LockDown => &[
        Deed::new(&["lockdown", "--agency", "--yes"], &["lockdown.begin"]).ends("Nightly", "deny locked_down"),
        Deed::new(&["lockdown", "--location", "Harbour", "--yes"], &["lockdown.begin"])
            .ends("Branch", "deny locked_down"),
    ],
    LiftLockdown => &[
        Deed::new(&["lockdown", "lift", "--app", "Cellar", "--yes"], &["lockdown.lift"]).gives("Cellar"),
    ],
    IssueKey => &[
        Deed::new(
            &["key", "create", "--name", "Yearly", "--agency", "--scope", "contacts.read"],
            &["key.issue"],
        ),
        Deed::new(
            &[
                "key", "create", "--name", "Yearly", "--location", "Harbour", "--scope", "contacts.read",
                "--token-file", on_the_disk!("token"),
            ],
            &["key.issue", "key.hand-over"],
        )
        .makes(&[on_the_disk!("token")])
        .loses(&["key.revoke"])
        .tidying(),
        Deed::new(
            &["app", "new-key", "Shop", "--name", "Second", "--revoke-others"],
            &["key.issue", "key.revoke"],
        )
        .ends("Counter", "deny revoked")
        .in_parts("is issued"),
    ],
    ImportKey => &[
        Deed::new(
            &[
                "key", "import", "--name", "Theirs", "--agency", "--scope", "contacts.read", "--secret-file",
                "secret",
            ],
            &["key.import"],
        ),
        Deed::new(
            &["key", "import", "--from", "theirs.csv", "--agency", "--scope", "contacts.read"],
            &["key.import"],
        ),
    ],
    PauseKey => &[
        Deed::new(&["key", "pause", "Nightly"], &["key.pause"]).ends("Nightly", "deny disabled"),
        Deed::new(&["key", "pause", "Nightly", "--for", "1h"], &["key.pause"]).ends("Nightly", "deny disabled"),
    ],
    ResumeKey => &[Deed::new(&["key", "resume", "Paused"], &["key.resume"]).gives("Paused")],
    RevokeKey => &[Deed::new(&["key", "revoke", "Nightly"], &["key.revoke"]).ends("Nightly", "deny revoked")],
    Each => &[
        Deed::new(
            &["key", "revoke", "--where", "Nightly OR \"Ends soon\"", "--expect", "2"],
            &["key.revoke"],
        )
        .ends("Nightly", "deny revoked"),
    ],
    // Writes what the command does that it takes the place of; it needs a report of what was done before.
    TakeBack => &[],
    DeleteKey => &[Deed::new(&["key", "delete", "Nightly"], &["key.delete"]).ends("Nightly", "deny tombstoned")],
    RestoreKey => &[Deed::new(&["key", "restore", "Gone"], &["key.restore"])],
    EditKey => &[
        Deed::new(
            &["key", "edit", "Nightly", "--note", "moved", "--expires", "30d", "--contact", "ops@acme.example"],
            &["key.edit"],
        ),
    ],
    RotateKey => &[
        Deed::new(&["key", "rotate", "Nightly", "--grace", "1h", "--from", "now"], &["key.rotate"]),
        Deed::new(
            &["key", "rotate", "Nightly", "--token-file", on_the_disk!("token")],
            &["key.rotate", "key.hand-over"],
        )
        .makes(&[on_the_disk!("token")])
        .loses(&["key.rotate-cancel"])
        .tidying(),
        Deed::new(
            &["key", "rotate", "--where", "Nightly", "--expect", "1", "--to", on_the_disk!("tokens")],
            &["key.rotate", "key.hand-over"],
        )
        .makes(&[on_the_disk!("tokens")])
        .loses(&["key.rotate-cancel"])
        .tidying(),
    ],
    RepeatRotation => &[
        Deed::new(&["key", "rotate", "Widget", "--again"], &["key.rotate-again"]).ends("Widget", "deny revoked"),
    ],
    CancelRotation => &[
        Deed::new(&["key", "rotate", "Widget", "--cancel"], &["key.rotate-cancel"])
            .ends("Widget", "deny revoked"),
    ],
    LengthenGrace => &[Deed::new(&["key", "rotate", "Widget", "--longer", "24h"], &["key.grace-longer"])],
    KeepKey => &[Deed::new(&["key", "keep", "Nightly"], &["key.keep"])],
    // Whatever hands a token to a file says so in the end; without that it is handed over all the same.
    HandOver => &[Deed::new(
        &[
            "key", "create", "--name", "Handed", "--agency", "--scope", "contacts.read", "--token-file",
            on_the_disk!("token"), "--env", "HANDED",
        ],
        &["key.issue", "key.hand-over"],
    )
    .makes(&[on_the_disk!("token")])
    .loses(&["key.revoke"])
    .tidying()],
    ProtectKey => &[Deed::new(&["key", "protect", "Nightly", "--why", "needed"], &["key.protect"])],
    UnprotectKey => &[Deed::new(&["key", "unprotect", "Yearly report"], &["key.unprotect"])],
    TransferKey => &[Deed::new(&["key", "transfer", "Nightly", "--to", "otto"], &["key.transfer"])],
    AckNotice => &[Deed::new(&["notices", "ack", "Ends soon"], &["notice.ack"])],
    SnoozeNotice => &[Deed::new(&["notices", "snooze", "Ends soon", "--for", "1d"], &["notice.snooze"])],
    // What a sweep does needs months before it: see what the engine promises of sweeps.
    ConfirmHold => &[],
    GiveNotices => &[],
    RenewNotices => &[],
    DeleteUnused => &[],
    HoldDeletions => &[],
    ClearEnded => &[],
    PurgeDeleted => &[],
    // So does what it tells of.
    MoveChannel => &[],
    EmptyChannel => &[],
    StartGraces => &[],
    EndGraces => &[],
    ResumeDue => &[],
    RescopeKey => &[
        Deed::new(&["key", "rescope", "Nightly", "--scope", "contacts.read"], &["key.rescope"]),
        Deed::new(&["key", "rescope", "Nightly", "--scope", "locations.read"], &["key.rescope"]),
    ],
    BeginReportOnly => &[
        Deed::new(
            &["key", "rescope", "Nightly", "--remove", "contacts.write", "--report-only", "14d"],
            &["key.report-only"],
        ),
    ],
    EnforceReportOnly => &[Deed::new(&["key", "rescope", "Yearly report", "--enforce"], &["key.report-only-enforce"])],
    DropReportOnly => &[Deed::new(&["key", "rescope", "Yearly report", "--drop"], &["key.report-only-drop"])],
    SignReview => &[
        Deed::new(&["review", "sign", "--keep", "Nightly=it is needed", "--note", "seen"], &["review.sign"]),
    ],
    CreateApp => &[
        Deed::new(
            &[
                "app", "create", "--name", "Bot", "--uri", "https://bot.example", "--user-type", "guest",
                "--source", "bot", "--auth", "key", "--scope", "contacts.read",
            ],
            &["app.create"],
        ),
    ],
    EditApp => &[
        Deed::new(&["app", "edit", "Shop", "--scope", "contacts.read"], &["app.edit"]),
        Deed::new(&["app", "edit", "Shop", "--name", "Stall"], &["app.edit"]),
    ],
    RenewAppSecret => &[
        Deed::new(
            &["app", "new-secret", "Shop", "--token-file", on_the_disk!("secret")],
            &["app.new-secret", "app.hand-over"],
        )
        .makes(&[on_the_disk!("secret")])
        .tidying(),
        Deed::new(
            &["app", "rotate", "Shop", "--token-file", on_the_disk!("secret")],
            &["app.new-secret", "app.hand-over"],
        )
        .makes(&[on_the_disk!("secret")])
        .loses(&["app.secret-cancel"])
        .tidying(),
    ],
    HandOverSecret => &[Deed::new(
        &[
            "app", "create", "--name", "Bot", "--uri", "https://bot.example", "--user-type", "guest", "--source",
            "bot", "--auth", "key", "--scope", "contacts.read", "--token-file", on_the_disk!("secret"),
        ],
        &["app.create", "app.hand-over"],
    )
    .makes(&[on_the_disk!("secret")])
    .loses(&["app.delete"])
    .tidying()],
    RepeatAppSecret => &[Deed::new(&["app", "rotate", "Stand", "--again"], &["app.new-secret-again"])],
    CancelAppSecret => &[Deed::new(&["app", "rotate", "Stand", "--cancel"], &["app.secret-cancel"])],
    EndAppSecret => &[Deed::new(&["app", "rotate", "Stand", "--finish"], &["app.secret-end"])],
    LengthenAppSecret => &[Deed::new(&["app", "rotate", "Stand", "--longer", "24h"], &["app.secret-longer"])],
    PauseApp => &[Deed::new(&["app", "pause", "Shop"], &["app.pause"]).ends("Counter", "deny app_disabled")],
    ResumeApp => &[Deed::new(&["app", "resume", "Asleep"], &["app.resume"])],
    DeleteApp => &[Deed::new(&["app", "delete", "Shop"], &["app.delete"]).ends("Counter", "deny revoked")],
    // Asked for over HTTP: see `rows`.
    RevokeToken => &[],
    RotateSigningKey => &[],
    ConfirmClock => &[Deed::new(&["clock", "confirm", "--yes"], &["clock.confirm"]).under_a_clock_ahead("172800000")],
    SetPolicy => &[Deed::new(&["policy", "set", "keys-per-operator", "7"], &["policy.set"])],
}

//! What can be said against a key or an app: a code for scripts, words for a list, what it means, and how much it weighs.

/// What weighs no more than this is no row by itself.
const NO_END: u16 = 2;

/// One thing that weighs against a key or an app. Declared in the order in which they weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// It holds so many scopes of admin risk that no request has needed.
    AdminUnneeded(usize),
    /// The access of its owner was ended.
    OwnerGone,
    /// It was deleted, and somebody comes with it all the same.
    Presented,
    /// No request ever came with it, for so many days.
    NeverUsed(i64),
    /// No request has come with it for so many days.
    Unused(i64),
    /// So many requests with it were refused in seven days, a tenth of all or more.
    DeniedOften(u64),
    /// Fewer scopes were tried on it, that has been over for so many days, and nobody has said what becomes of it.
    ReportOnlyOver(i64),
    /// So many of its scopes no request has needed, and others some have.
    ScopesUnneeded {
        /// That could be taken away.
        unneeded: usize,
        /// That it holds.
        granted: usize,
    },
    /// Its secret has been the same for so many days.
    NotRotated(i64),
    /// A live key of another owner is called the same.
    SameName,
    /// Its secret was not made here.
    MadeElsewhere,
    /// It works until somebody ends it. By itself that is told of too many to be worth a row.
    NoEnd,
}

impl Concern {
    /// Its place in what is stored of a kept key: each has its own for ever.
    pub const fn bit(self) -> u16 {
        1 << match self {
            Self::AdminUnneeded(_) => 0,
            Self::OwnerGone => 1,
            Self::Presented => 2,
            Self::NeverUsed(_) => 3,
            Self::Unused(_) => 4,
            Self::ScopesUnneeded { .. } => 5,
            Self::NotRotated(_) => 6,
            Self::NoEnd => 7,
            Self::SameName => 8,
            Self::MadeElsewhere => 9,
            Self::ReportOnlyOver(_) => 10,
            Self::DeniedOften(_) => 11,
        }
    }

    /// The words of all, in the order in which they weigh.
    pub const CODES: [&str; 12] = [
        "admin_scopes_unneeded",
        "owner_disabled",
        "presented_after_deletion",
        "never_used",
        "unused",
        "denied_often",
        "report_only_over",
        "scopes_unneeded",
        "not_rotated",
        "same_name",
        "imported",
        "no_expiry",
    ];

    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AdminUnneeded(_) => "admin_scopes_unneeded",
            Self::OwnerGone => "owner_disabled",
            Self::Presented => "presented_after_deletion",
            Self::NeverUsed(_) => "never_used",
            Self::Unused(_) => "unused",
            Self::DeniedOften(_) => "denied_often",
            Self::ReportOnlyOver(_) => "report_only_over",
            Self::ScopesUnneeded { .. } => "scopes_unneeded",
            Self::NotRotated(_) => "not_rotated",
            Self::NoEnd => "no_expiry",
            Self::SameName => "same_name",
            Self::MadeElsewhere => "imported",
        }
    }

    /// How much it weighs beside the others. More than 100 in all is as bad as can be shown.
    pub const fn weight(self) -> u16 {
        match self {
            Self::AdminUnneeded(_) => 40,
            Self::OwnerGone => 30,
            Self::Presented => 25,
            Self::NeverUsed(_) => 20,
            Self::Unused(_) | Self::DeniedOften(_) => 15,
            Self::ReportOnlyOver(_) | Self::ScopesUnneeded { .. } | Self::NotRotated(_) => 10,
            Self::SameName | Self::MadeElsewhere => 5,
            Self::NoEnd => NO_END,
        }
    }

    /// Days it tells of, if it tells of days.
    pub const fn days(self) -> Option<i64> {
        match self {
            Self::NeverUsed(days)
            | Self::Unused(days)
            | Self::ReportOnlyOver(days)
            | Self::NotRotated(days) => Some(days),
            Self::AdminUnneeded(_)
            | Self::OwnerGone
            | Self::Presented
            | Self::DeniedOften(_)
            | Self::ScopesUnneeded { .. }
            | Self::NoEnd
            | Self::SameName
            | Self::MadeElsewhere => None,
        }
    }

    /// Scopes it tells of, if it tells of scopes.
    pub const fn scopes(self) -> Option<usize> {
        match self {
            Self::AdminUnneeded(scopes) | Self::ScopesUnneeded { unneeded: scopes, .. } => Some(scopes),
            Self::OwnerGone
            | Self::Presented
            | Self::NeverUsed(_)
            | Self::Unused(_)
            | Self::DeniedOften(_)
            | Self::ReportOnlyOver(_)
            | Self::NotRotated(_)
            | Self::NoEnd
            | Self::SameName
            | Self::MadeElsewhere => None,
        }
    }

    /// Requests it tells of, if it tells of requests.
    pub const fn requests(self) -> Option<u64> {
        if let Self::DeniedOften(requests) = self { Some(requests) } else { None }
    }

    /// In a few words, for a list.
    pub fn words(self) -> String {
        match self {
            Self::AdminUnneeded(1) => "admin scope never needed".to_owned(),
            Self::AdminUnneeded(scopes) => format!("{scopes} admin scopes never needed"),
            Self::OwnerGone => "owner disabled".to_owned(),
            Self::Presented => "deleted, still presented".to_owned(),
            Self::NeverUsed(days) => format!("never used in {days} d"),
            Self::Unused(days) => format!("unused for {days} d"),
            Self::DeniedOften(requests) => format!("{requests} requests refused in 7 d"),
            Self::ReportOnlyOver(0) => "report-only over".to_owned(),
            Self::ReportOnlyOver(days) => format!("report-only over for {days} d"),
            Self::ScopesUnneeded { unneeded, granted } => {
                format!("{unneeded} of {granted} scopes never needed")
            }
            Self::NotRotated(days) => format!("not rotated for {days} d"),
            Self::NoEnd => "no expiry".to_owned(),
            Self::SameName => "name used twice".to_owned(),
            Self::MadeElsewhere => "secret made elsewhere".to_owned(),
        }
    }

    /// What it means, in a sentence.
    pub const fn means(self) -> &'static str {
        match self {
            Self::AdminUnneeded(_) => {
                "It may move money, remove for good or change who may do what, and no request has needed that."
            }
            Self::OwnerGone => "Nobody answers for it: the access of its owner was ended.",
            Self::Presented => "Somebody still comes with it and is refused: find out who, before they call.",
            Self::NeverUsed(_) => {
                "It was issued and no request ever came with it: where does its secret lie?"
            }
            Self::Unused(_) => "Whoever used it has stopped, and its secret still opens the door.",
            Self::DeniedOften(_) => {
                "Its callers want what it may not do, or come from where nobody has told them: ask them."
            }
            Self::ReportOnlyOver(_) => {
                "What fewer scopes would have refused is counted: enforce them, or let it keep all it has."
            }
            Self::ScopesUnneeded { .. } => {
                "It may do more than any request has asked of it: taking that away breaks nothing that is known."
            }
            Self::NotRotated(_) => "Whoever ever saw its secret has it still.",
            Self::NoEnd => "It works until somebody thinks of it.",
            Self::SameName => "A key of somebody else is called the same: one may be stopped for the other.",
            Self::MadeElsewhere => "How strong its secret is and who saw it before is not known here.",
        }
    }
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Breadth {
    /// What is worth a row.
    #[default]
    Telling,
    /// Also what most keys give reason for.
    All,
}

impl Breadth {
    /// Whether so much is worth a row.
    pub const fn takes(self, risk: u16) -> bool {
        match self {
            Self::Telling => risk > NO_END,
            Self::All => risk > 0,
        }
    }
}

/// What several weigh together.
pub fn risk(concerns: &[Concern]) -> u16 {
    concerns.iter().map(|concern| concern.weight()).fold(0, u16::saturating_add)
}

/// Several in words, in their order: `admin scope never needed, no expiry`.
pub fn why(concerns: &[Concern]) -> String {
    concerns.iter().map(|concern| concern.words()).collect::<Vec<_>>().join(", ")
}

//! How to call with the selected key or app: the developer guide's page for it, with its own id, hint and scopes
//! filled in, and examples that are copied block by block. Never holds a secret, only the names of variables.

use ratatui::layout::Rect;

use crate::domain::catalog::AuthMethod;
use crate::domain::{App, AppId, KeyId, Scopes, View};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::Ask;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clipboard::Keep;
use crate::tui::clock::Now;
use crate::tui::list::page::Page;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::secret::SecretText;
use crate::tui::theme::Role;
use crate::tui::widgets::{layout, popup, scrollbar, text};

const WITH_A_KEY: &str = include_str!("../../../assets/guide/calling-with-a-key.md");
const WITH_A_TOKEN: &str = include_str!("../../../assets/guide/calling-with-an-access-token.md");
const CHECKING: &str = include_str!("../../../assets/guide/asking-as-a-resource-server.md");
/// Stands for where the platform answers while nobody said.
const PLACEHOLDER: &str = "https://api.example.com";
/// Columns of the widest box.
const WIDTH: u16 = 100;
const PANE: u8 = 0;

/// A piece of the page.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Heading(String),
    Text(String),
    /// What has to be put right before an example works.
    Note(String),
    /// What it is called, and its lines.
    Code(String, Vec<String>),
}

/// One line as it stands on the screen.
struct Row {
    /// The example it belongs to.
    code: Option<usize>,
    text: String,
    role: Role,
}

/// The guide for one key or app.
pub struct HowTo {
    title: String,
    blocks: Vec<Block>,
    rows: Vec<Row>,
    width: u16,
    page: Page,
    /// Which example is copied.
    chosen: usize,
}

impl HowTo {
    /// For a key the operator sees.
    pub fn key(look: &Look, key: KeyId) -> Option<Self> {
        look.view(|view| {
            let key = view.key(key)?;
            let app = key.place.app().map_or_else(String::new, |app| app.to_string());
            let base = base_url(view);
            Some(Self::new(key.name.as_str(), WITH_A_KEY, &key.hint(), &app, &key.scopes, base.as_deref()))
        })
    }

    /// For an app the operator sees: its access tokens, or the newest of its keys that works.
    pub fn app(look: &Look, app: AppId) -> Option<Self> {
        let now = look.now();
        look.view(|view| {
            let app: &App = view.app(app)?;
            let id = app.id.to_string();
            let (page, hint) = match app.method {
                AuthMethod::Jwt => (WITH_A_TOKEN, app.secret_hint()),
                AuthMethod::ResourceServer => (CHECKING, app.secret_hint()),
                AuthMethod::ApiKey => {
                    let live = view.keys_of_app(app.id).filter(|key| key.state(now).is_live());
                    let newest = live.max_by_key(|key| (key.created_at, key.id));
                    (WITH_A_KEY, newest.map_or_else(|| "not issued yet".to_owned(), crate::domain::Key::hint))
                }
            };
            Some(Self::new(app.name.as_str(), page, &hint, &id, &app.scopes, base_url(view).as_deref()))
        })
    }

    fn new(name: &str, page: &str, hint: &str, app: &str, scopes: &Scopes, base: Option<&str>) -> Self {
        let scopes = scopes.iter().map(crate::domain::ScopeId::as_str).collect::<Vec<_>>().join(" ");
        let filled = page
            .replace("{hint}", hint)
            .replace("{base_url}", base.unwrap_or(PLACEHOLDER))
            .replace("{app_id}", app)
            .replace("{scopes}", &scopes);
        let (heading, mut blocks) = read(&filled);
        if base.is_none() {
            blocks.insert(0, Block::Note(placeholder_said()));
        }
        let title = format!("{heading}: {name}");
        Self { title, blocks, rows: Vec::new(), width: 0, page: Page::default(), chosen: 0 }
    }

    fn examples(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Code(name, lines) => Some((name.as_str(), lines.as_slice())),
            _ => None,
        })
    }

    fn lay_out(&mut self, width: u16) {
        if self.width == width && !self.rows.is_empty() {
            return;
        }
        self.width = width;
        let mut rows = Vec::new();
        let row = |code, text: String, role| Row { code, text, role };
        let mut example = 0;
        for (at, block) in self.blocks.iter().enumerate() {
            if at > 0 {
                rows.push(row(None, String::new(), Role::Text));
            }
            match block {
                Block::Heading(said) => rows.push(row(None, said.clone(), Role::Title)),
                Block::Text(said) | Block::Note(said) => {
                    let role = if matches!(block, Block::Note(_)) { Role::Warn } else { Role::Text };
                    let lines = text::wrap(said, width.max(1)).into_iter();
                    rows.extend(lines.map(|line| row(None, line, role)));
                }
                Block::Code(_, lines) => {
                    // Not wrapped at words: what is seen is what is copied, cut where the window ends.
                    rows.extend(lines.iter().map(|line| row(Some(example), line.clone(), Role::Accent)));
                    example += 1;
                }
            }
        }
        self.rows = rows;
    }

    /// Chooses another example, round and round, and brings it into sight.
    fn choose(&mut self, to: usize) {
        self.chosen = to % self.examples().count().max(1);
        let mine = |row: &Row| row.code == Some(self.chosen);
        let Some(first) = self.rows.iter().position(mine) else { return };
        let last = self.rows.iter().rposition(mine).unwrap_or(first);
        // The heading above comes along.
        let first = first.saturating_sub(2);
        if first < self.page.offset || last > self.page.end() {
            self.page.offset = first.min(self.page.last());
        }
    }

    fn chosen_name(&self) -> &str {
        self.examples().nth(self.chosen).map_or("", |(name, _)| name)
    }

    fn copy(&self, out: &mut Vec<Ask>) {
        if let Some((_, lines)) = self.examples().nth(self.chosen) {
            out.push(Ask::Copy(SecretText::new(lines.join("\n")), Keep::Stays));
        }
    }
}

/// Where the platform answers, if an admin said.
pub fn base_url(view: &View<'_>) -> Option<String> {
    view.policy().base_url.as_ref().map(ToString::to_string)
}

fn placeholder_said() -> String {
    format!(
        "{PLACEHOLDER} only stands for the address of your platform. An admin can set the real one for all examples: \
         Base URL, under Settings."
    )
}

/// The little of Markdown these pages use: a title, headings, paragraphs, lists, fenced examples.
fn read(page: &str) -> (String, Vec<Block>) {
    let (mut title, mut blocks) = (String::new(), Vec::new());
    let mut code: Option<(String, Vec<String>)> = None;
    let mut open = false;
    for line in page.lines() {
        match (&mut code, line.strip_prefix("```")) {
            (Some(_), Some(_)) => {
                blocks.extend(code.take().map(|(name, lines)| Block::Code(name, lines)));
                open = false;
            }
            (Some((_, lines)), None) => lines.push(line.to_owned()),
            (None, Some(name)) => code = Some((name.trim().to_owned(), Vec::new())),
            (None, None) if line.trim().is_empty() => open = false,
            (None, None) => {
                if let Some(heading) = line.strip_prefix("# ") {
                    heading.clone_into(&mut title);
                } else if let Some(heading) = line.strip_prefix("## ") {
                    blocks.push(Block::Heading(heading.to_owned()));
                    open = false;
                } else if let (true, Some(Block::Text(said))) = (open, blocks.last_mut()) {
                    said.push(if line.starts_with("- ") { '\n' } else { ' ' });
                    said.push_str(line.trim());
                } else {
                    blocks.push(Block::Text(line.trim().to_owned()));
                    open = true;
                }
            }
        }
    }
    (title, blocks)
}

/// The request for an access token, for whoever holds the secret right now.
pub fn token_request(app: AppId, base: Option<&str>) -> Vec<String> {
    let (_, blocks) = read(WITH_A_TOKEN);
    let request = blocks.into_iter().find_map(|block| match block {
        Block::Code(name, lines) if name == "curl" => Some(lines),
        _ => None,
    });
    let base = base.unwrap_or(PLACEHOLDER);
    let filled = |line: String| line.replace("{base_url}", base).replace("$KEYDECK_APP_ID", &app.to_string());
    request.unwrap_or_default().into_iter().map(filled).collect()
}

impl Overlay for HowTo {
    fn name(&self) -> &'static str {
        "how-to"
    }

    fn layer(&self) -> Layer {
        Layer::Reader
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        match cue {
            Cue::Do(action) if self.page.act(action) => {}
            Cue::Do(Action::NextField) => self.choose(self.chosen + 1),
            Cue::Do(Action::PrevField) => {
                self.choose(self.chosen + self.examples().count().saturating_sub(1));
            }
            Cue::Do(Action::CopyText) => self.copy(out),
            Cue::Click(Target::Row { pane: PANE, row }) => {
                if self.chosen == row {
                    self.copy(out);
                }
                self.choose(row);
            }
            Cue::Wheel { rows, .. } => self.page.scroll(rows),
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        let width = WIDTH.min(canvas.area().width.saturating_sub(2));
        self.lay_out(width.saturating_sub(10));
        let most = if area.height < 16 { canvas.area().height } else { area.height.saturating_sub(2) };
        let wanted = u16::try_from(self.rows.len() + 6).unwrap_or(u16::MAX);
        let inner = popup::draw(canvas, &self.title, width, wanted.min(most));
        let (body, last) = layout::bottom(inner, 1);
        let (body, _) = layout::bottom(body, u16::from(body.height > 10));
        canvas.hit(body, Target::Pane(PANE));
        self.page.fit(self.rows.len(), body.height);
        let offset = self.page.offset;
        let sign = canvas.glyphs().selected;
        canvas.cursor(body.x, body.y);
        let mut before = None;
        for (line, row) in self.rows.iter().enumerate().skip(offset).take(body.height.into()) {
            let place = layout::row(body, u16::try_from(line - offset).unwrap_or(u16::MAX));
            let Some(example) = row.code else {
                before = None;
                canvas.fit(place.x, place.y, place.width, &row.text, row.role);
                continue;
            };
            canvas.hit(place, Target::Row { pane: PANE, row: example });
            let first = line == 0 || before != Some(example);
            if example == self.chosen && first {
                canvas.fit(place.x, place.y, 1, sign, Role::Key);
                canvas.cursor(place.x, place.y);
            } else if example == self.chosen {
                canvas.vertical(place.x, place.y, 1);
            }
            before = Some(example);
            let role = if example == self.chosen { row.role } else { Role::Dim };
            canvas.fit(place.x + 2, place.y, place.width.saturating_sub(2), &row.text, role);
        }
        let bar = Rect { width: body.width.saturating_add(2), ..body };
        scrollbar::draw(canvas, bar, offset, body.height.into(), self.rows.len());
        let label = |action| look.keymap.label(Layer::Reader, action).unwrap_or_default();
        let promise = if last.width < 70 { "" } else { "   secrets are never filled in" };
        let spans = [
            canvas.span(Role::Key, label(Action::CopyText)),
            canvas.span(Role::Text, format!(" copies {}   ", self.chosen_name())),
            canvas.span(Role::Key, label(Action::NextField)),
            canvas.span(Role::Dim, format!(" next example{promise}")),
        ];
        canvas.spans(last.x, last.y, last.width, &spans);
    }

    fn hints(&self) -> &[Action] {
        &[Action::CopyText, Action::NextField, Action::Down, Action::Cancel]
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Filter | Action::NextMatch | Action::PrevMatch => {
                Err("tab goes from example to example here".into())
            }
            Action::Up | Action::Down if self.page.last() == 0 => Err("all of it is on the screen".into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes() -> Scopes {
        Scopes::new(["contacts.read".parse().unwrap()]).unwrap()
    }

    #[test]
    fn both_pages_are_filled_whole_and_hold_no_secret() {
        for (page, names) in [
            (WITH_A_KEY, vec!["environment", "curl", "Python", "JavaScript", "proxy", "check"]),
            (WITH_A_TOKEN, vec!["environment", "curl", "curl", "Python", "JavaScript", "proxy"]),
        ] {
            let guide =
                HowTo::new("Booking bot", page, "kdap_7HqP2mVx9KtR_…", "app_7HqP2mVx9KtR", &scopes(), None);
            let found: Vec<&str> = guide.examples().map(|(name, _)| name).collect();
            assert_eq!(found, names);
            assert!(guide.title.starts_with("Calling with") && guide.title.ends_with("Booking bot"));
            let all = format!("{:?}", guide.blocks);
            for placeholder in ["{hint}", "{base_url}", "{app_id}", "{scopes}", "```"] {
                assert!(!all.contains(placeholder), "{placeholder} is left");
            }
            assert!(all.contains("contacts.read") && all.contains("$KEYDECK_TOKEN"));
        }
    }

    #[test]
    fn the_request_for_a_token_names_the_app_and_leaves_the_secret_to_the_environment() {
        let id: crate::domain::PublicId = "7HqP2mVx9KtR".parse().unwrap();
        let request = token_request(AppId(id), None).join("\n");
        assert!(request.contains("app_7HqP2mVx9KtR:$KEYDECK_APP_SECRET"), "{request}");
        assert!(request.contains("grant_type=client_credentials"));
    }
}

//! Filter lines of before, for whoever asks for them again, and those that have a name. As a list of texts they can be kept
//! anywhere: a named one is written as it is typed, `@stale=idle>60d state:live`.

/// As many are kept of those without a name, and of those with one.
const MOST: usize = 50;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// The latest last, each once.
    past: Vec<String>,
    /// Name and line, in the order of their names.
    named: Vec<(String, String)>,
}

impl Lines {
    /// As they were kept.
    pub fn of(kept: impl IntoIterator<Item = String>) -> Self {
        let mut lines = Self::default();
        kept.into_iter().for_each(|line| lines.keep(&line));
        lines
    }

    /// To be kept.
    pub fn all(&self) -> Vec<String> {
        let named = self.named.iter().map(|(name, line)| format!("@{name}={line}"));
        named.chain(self.past.iter().cloned()).collect()
    }

    /// Keeps a line: under its name if it gives one. A name for nothing is forgotten.
    pub fn keep(&mut self, line: &str) {
        let line = line.trim();
        if let Some((name, line)) = naming(line) {
            self.named.retain(|(known, _)| known != name);
            if !line.is_empty() {
                self.named.push((name.to_owned(), line.to_owned()));
                self.named.sort();
                self.named.truncate(MOST);
            }
        } else if !line.is_empty() {
            self.past.retain(|known| known != line);
            self.past.push(line.to_owned());
            let over = self.past.len().saturating_sub(MOST);
            self.past.drain(..over);
        }
    }

    /// The one of that name.
    pub fn named(&self, name: &str) -> Option<&str> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, line)| line.as_str())
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.named.iter().map(|(name, _)| name.clone())
    }

    /// The one so many steps back.
    pub fn back(&self, steps: usize) -> Option<&str> {
        self.past.iter().rev().nth(steps.checked_sub(1)?).map(String::as_str)
    }
}

/// The name that a line gives to what stands behind it.
pub fn naming(line: &str) -> Option<(&str, &str)> {
    let (name, line) = line.strip_prefix('@')?.split_once('=')?;
    let fits = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    fits.then_some((name, line.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_the_latest_first_and_names_stay() {
        let mut lines = Lines::default();
        for line in
            ["idle>60d", "owner:jonas", " idle>60d ", "", "@stale=idle>60d state:live", "@gone=x", "@gone="]
        {
            lines.keep(line);
        }
        assert_eq!(
            (lines.back(1), lines.back(2), lines.back(3)),
            (Some("idle>60d"), Some("owner:jonas"), None)
        );
        assert_eq!(lines.named("stale"), Some("idle>60d state:live"));
        assert_eq!(lines.names().collect::<Vec<_>>(), ["stale"]);
        assert_eq!(lines.all(), ["@stale=idle>60d state:live", "owner:jonas", "idle>60d"]);
        assert_eq!(Lines::of(lines.all()), lines);
        (0..200).for_each(|n| lines.keep(&n.to_string()));
        assert_eq!((lines.all().len(), lines.back(1)), (MOST + 1, Some("199")));
        for line in ["@a b=c", "@=c", "a=b", "@a", "note:@a=b"] {
            assert_eq!(naming(line), None, "{line}");
        }
    }
}

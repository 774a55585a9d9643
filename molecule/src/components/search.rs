//! Components found by code or name.

use smol_str::SmolStr;

use super::ComponentError;
use super::asset::Dictionary;

/// A component that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Code.
    pub code: SmolStr,
    /// Name.
    pub name: String,
    /// The other name that fits the search, when the name itself does not.
    pub synonym: Option<String>,
    /// Whether the entry is obsolete.
    pub is_obsolete: bool,
}

/// Searches of more characters than this are cut off.
const MAX_TEXT: usize = 200;

/// All names in lower case, a line for each component: the name, then the synonyms, parted by `;`.
#[derive(Debug)]
pub(super) struct Names {
    text: String,
    /// Where each line ends.
    ends: Vec<u32>,
}

/// How well a text fits; smaller is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Code,
    WholeName,
    CodeStart,
    NameStart,
    WordStarts,
    Within,
}

impl Dictionary {
    /// The best `limit` components for a text: those of this code, then those of this name, then codes and names that
    /// begin so, then names in which every word of the text begins a word, then names that hold every word anywhere.
    /// Synonyms count like names, letter case does not count; of equal ones entries that are not obsolete come first,
    /// then shorter names.
    ///
    /// # Errors
    /// When the dictionary is damaged.
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<Hit>, ComponentError> {
        let wanted: String = text.trim().chars().take(MAX_TEXT).collect::<String>().to_lowercase();
        let words: Vec<&str> = wanted.split_whitespace().collect();
        if words.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let names = self.names.get_or_init(|| self.all_names()).as_ref().map_err(Clone::clone)?;
        let mut found: Vec<(Fit, usize, usize)> = Vec::new();
        let mut start = 0;
        for (index, (code, end)) in self.codes().zip(&names.ends).enumerate() {
            let line = &names.text[start..*end as usize];
            start = *end as usize;
            let by_code = fit_of_code(code, &wanted);
            let by_name =
                line.split(';').filter_map(|name| Some((fit_of_name(name, &wanted, &words)?, name.len()))).min();
            let best = match (by_code, by_name) {
                (Some(code), Some((name, length))) => Some(if code < name { (code, 0) } else { (name, length) }),
                (Some(code), None) => Some((code, 0)),
                (None, by_name) => by_name,
            };
            if let Some((fit, length)) = best {
                found.push((fit, length, index));
            }
        }
        // Obsolete entries are told from the catalogue, so only for those that can come out.
        found.sort_unstable();
        found.truncate(limit.saturating_mul(2).saturating_add(20));
        let mut hits = Vec::with_capacity(found.len());
        for (fit, length, index) in found {
            let entry = self.entry(index)?;
            let fits = |name: &str| fit_of_name(&name.to_lowercase(), &wanted, &words).is_some();
            let synonym =
                if fits(&entry.name) { None } else { entry.synonyms.into_iter().find(|synonym| fits(synonym)) };
            let hit = Hit { code: entry.code, name: entry.name, synonym, is_obsolete: entry.is_obsolete };
            hits.push((fit, hit.is_obsolete, length, hit));
        }
        hits.sort_by_key(|a| (a.0, a.1, a.2));
        Ok(hits.into_iter().take(limit).map(|(.., hit)| hit).collect())
    }

    fn all_names(&self) -> Result<Names, ComponentError> {
        let mut names = Names { text: String::new(), ends: Vec::with_capacity(self.len()) };
        for index in 0..self.len() {
            if index % super::asset::CHUNK != 0 {
                continue;
            }
            for line in self.lines(index / super::asset::CHUNK)?.split('\n') {
                let mut fields = line.split('\t');
                names.text.push_str(&fields.next().unwrap_or_default().to_lowercase());
                if let Some(synonyms) =
                    fields.next_back().filter(|_| line.matches('\t').count() == super::asset::FIELDS - 1)
                {
                    names.text.push(';');
                    names.text.push_str(&synonyms.to_lowercase());
                }
                names.ends.push(names.text.len() as u32);
            }
        }
        if names.ends.len() < self.len() {
            return Err(ComponentError::Damaged("names are missing".to_owned()));
        }
        Ok(names)
    }
}

fn fit_of_code(code: &str, wanted: &str) -> Option<Fit> {
    if code.eq_ignore_ascii_case(wanted) {
        return Some(Fit::Code);
    }
    let begins = code.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
    begins.then_some(Fit::CodeStart)
}

fn fit_of_name(name: &str, wanted: &str, words: &[&str]) -> Option<Fit> {
    if !words.iter().all(|word| name.contains(word)) {
        return None;
    }
    let name = name.trim();
    if name == wanted {
        return Some(Fit::WholeName);
    }
    if name.starts_with(wanted) {
        return Some(Fit::NameStart);
    }
    let begins_word = |word: &&str| {
        name.match_indices(word)
            .any(|(place, _)| name[..place].chars().next_back().is_none_or(|before| !before.is_alphanumeric()))
    };
    Some(if words.iter().all(begins_word) { Fit::WordStarts } else { Fit::Within })
}

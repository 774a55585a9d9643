//! Every sentence the program shows, in the user's language.
//!
//! The sentences live in `assets/texts/LANGUAGE/PART.ftl` (Project Fluent), a file for each part of the window, compiled in.
//! Code names a sentence by its key. Style: sentence case, no full stop after a single sentence of a label, units always;
//! in Korean nouns for buttons and names, short polite sentences (해요체) for explanations.
//! To add a part: its file in every language and its name in the list below. To add a language: its folder, a variant of
//! [`Language`] and its row in [`Language::ALL`]; the tests below then check that the files have every key with the same
//! placeholders and that they parse.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

/// The files of one language.
macro_rules! parts {
    ($language:literal) => {
        parts!($language:
            "commands"
            "compare"
            "editor"
            "ensembles"
            "files"
            "help"
            "jobs"
            "lessons"
            "panes"
            "preferences"
            "query"
            "reading"
            "reports"
            "results"
            "run"
            "series"
            "session"
            "settings"
            "start"
            "style"
            "view"
        )
    };
    ($language:literal: $($part:literal)*) => {
        concat!($(include_str!(concat!("../../assets/texts/", $language, "/", $part, ".ftl")), "\n"),*)
    };
}

/// A language of the user interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// 한국어.
    Korean,
}

impl Language {
    /// All languages in the order of the switch.
    pub const ALL: [Self; 2] = [Self::English, Self::Korean];

    /// Its own name, as its speakers write it.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Korean => "한국어",
        }
    }

    /// BCP 47 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }

    /// The language of a POSIX locale name such as `ko_KR.UTF-8`; English when there is no better one.
    #[must_use]
    pub fn from_locale(locale: &str) -> Self {
        Self::ALL.into_iter().find(|language| locale.starts_with(language.code())).unwrap_or_default()
    }

    /// The language the environment asks for: `LC_ALL`, `LC_MESSAGES`, `LANG`, the first that is set.
    #[must_use]
    pub fn from_environment() -> Self {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .map_or(Self::English, |locale| Self::from_locale(&locale))
    }

    const fn source(self) -> &'static str {
        match self {
            Self::English => parts!("en"),
            Self::Korean => parts!("ko"),
        }
    }
}

/// The sentences of one language.
pub struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// Loads a language.
    #[must_use]
    pub fn new(language: Language) -> Self {
        // The codes above parse; the default identifier only stands in to keep this free of panics.
        let identifier: LanguageIdentifier = language.code().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // Marks around placeholders serve mixed left-to-right and right-to-left text, and are boxes in most fonts.
        bundle.set_use_isolating(false);
        let resource = match FluentResource::try_new(language.source().to_owned()) {
            Ok(resource) => resource,
            Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
        Self { language, bundle }
    }

    /// The language of these texts.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The sentence of a key; the key itself if there is none.
    #[must_use]
    pub fn get(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The sentence of a key with its placeholders filled.
    #[must_use]
    pub fn with<'a>(&self, key: &str, values: impl IntoIterator<Item = (&'static str, FluentValue<'a>)>) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            arguments.set(name, value);
        }
        self.format(key, Some(&arguments))
    }

    /// Whether there is a sentence of this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.bundle.get_message(key).is_some_and(|message| message.value().is_some())
    }

    fn format(&self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let mut errors = Vec::new();
        self.bundle.format_pattern(pattern, arguments, &mut errors).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    /// Key and placeholders of every message, read from the text itself.
    fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut key = String::new();
        for line in language.source().lines().filter(|line| !line.starts_with('#')) {
            if !line.starts_with([' ', '}'])
                && let Some((name, _)) = line.split_once(" =")
            {
                name.clone_into(&mut key);
                assert!(!messages.contains_key(&key), "{key} stands twice in {}", language.code());
                messages.insert(key.clone(), BTreeSet::new());
            }
            for part in line.split('$').skip(1) {
                let name = part.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
                messages.get_mut(&key).unwrap().insert(name);
            }
        }
        messages
    }

    /// Literals that look like keys: names of folders of samples and lessons, of this program, and what tests make up.
    const NOT_KEYS: [&str; 7] = [
        "adenylate-kinase",
        "conformational-change",
        "dna-complex",
        "kfold-studio",
        "nuclear-receptor",
        "nucleic-acids",
        "thrombin-series",
    ];

    fn is_key(literal: &str) -> bool {
        literal.contains('-')
            && !NOT_KEYS.contains(&literal)
            && literal.starts_with(|letter: char| letter.is_ascii_lowercase())
            && literal.ends_with(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit())
            && !literal.contains("--")
            && literal.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
    }

    /// Every string literal of the window's sources that has the form of a key.
    fn keys_in_sources() -> BTreeMap<String, String> {
        fn walk(folder: &Path, keys: &mut BTreeMap<String, String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, keys);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let source = std::fs::read_to_string(&path).unwrap();
                    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
                    for line in code {
                        for literal in line.split('"').skip(1).step_by(2).filter(|literal| is_key(literal)) {
                            keys.insert(literal.to_owned(), path.display().to_string());
                        }
                    }
                }
            }
        }
        let mut keys = BTreeMap::new();
        for folder in ["src/window", "src/report"] {
            walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut keys);
        }
        keys
    }

    #[test]
    fn every_language_parses_without_errors() {
        for language in Language::ALL {
            let result = FluentResource::try_new(language.source().to_owned());
            assert!(result.is_ok(), "{}: {:?}", language.code(), result.err().map(|(_, errors)| errors));
        }
    }

    #[test]
    fn languages_have_the_same_keys_and_placeholders() {
        let english = messages(Language::English);
        for language in Language::ALL {
            let other = messages(language);
            for (key, placeholders) in &english {
                assert_eq!(Some(placeholders), other.get(key), "{key} in {}", language.code());
            }
            for key in other.keys() {
                assert!(english.contains_key(key), "{key} is in {} only", language.code());
            }
        }
    }

    #[test]
    fn every_key_in_code_exists_and_every_sentence_is_used() {
        let keys = keys_in_sources();
        let messages = messages(Language::English);
        for (key, path) in &keys {
            assert!(messages.contains_key(key), "{key}, used in {path}, is in no language");
        }
        for key in messages.keys() {
            assert!(keys.contains_key(key), "{key} is used nowhere");
        }
    }

    #[test]
    fn sentences_end_alike_and_placeholders_are_filled() {
        let english = Texts::new(Language::English);
        let korean = Texts::new(Language::Korean);
        assert_eq!(
            english.with("chain-summary-protein", [("id", "A".into()), ("count", 12.into())]),
            "A · protein, 12 residues"
        );
        assert_eq!(
            english.with("chain-summary-protein", [("id", "A".into()), ("count", 1.into())]),
            "A · protein, 1 residue"
        );
        assert!(korean.with("chain-summary-protein", [("id", "A".into()), ("count", 12.into())]).contains("12"));
        assert_eq!(Language::from_locale("ko_KR.UTF-8"), Language::Korean);
        assert_eq!(Language::from_locale("C"), Language::English);
    }
}

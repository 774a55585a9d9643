//! Lessons: texts with links that drive the window and tasks that check themselves.
//!
//! A lesson is a folder with `en.md` and, if there is one, `ko.md`. Six come with the program; teachers put theirs into
//! the lessons folder of the user (the pane says where it is). The text is Markdown, of which headings, paragraphs,
//! lists, emphasis and code are shown. What makes it a lesson:
//!
//! - `[words](studio:...)` does something: see [`Action::of_link`]. Other links are shown as words; nothing is opened.
//! - `- [ ] words [](studio:check/...)` is a task, done as soon as the check holds: see [`Check`].
//! - A list of `- ( ) wrong` and `- (x) right` after a paragraph is a question.
//!
//! A file may come from a stranger: it is bounded, only plain files directly in a lesson's folder are read (no links of
//! the file system), and no link can do more than the window's own buttons.

mod panel;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::action::Action;
use super::app::Studio;
use crate::texts::Language;

pub use panel::Lessons;

/// Largest lesson, bytes.
const LARGEST: u64 = 256 << 10;
/// Blocks of a lesson, lessons in a folder.
const MOST: usize = 2000;

/// The lessons that come with the program, in their order: name, English, Korean.
const OWN: [(&str, &str, &str); 6] = [
    ("binding", include_str!("../../../../lessons/binding/en.md"), include_str!("../../../../lessons/binding/ko.md")),
    (
        "conformational-change",
        include_str!("../../../../lessons/conformational-change/en.md"),
        include_str!("../../../../lessons/conformational-change/ko.md"),
    ),
    (
        "confidence",
        include_str!("../../../../lessons/confidence/en.md"),
        include_str!("../../../../lessons/confidence/ko.md"),
    ),
    (
        "affinity",
        include_str!("../../../../lessons/affinity/en.md"),
        include_str!("../../../../lessons/affinity/ko.md"),
    ),
    (
        "nucleic-acids",
        include_str!("../../../../lessons/nucleic-acids/en.md"),
        include_str!("../../../../lessons/nucleic-acids/ko.md"),
    ),
    ("design", include_str!("../../../../lessons/design/en.md"), include_str!("../../../../lessons/design/ko.md")),
];

/// A lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// Its folder's name.
    pub name: String,
    /// Its first heading.
    pub title: String,
    blocks: Vec<Block>,
    /// Tasks and questions in it.
    pub tasks: usize,
    /// What its writer should mend.
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Block {
    Heading(Vec<Span>),
    Text(Vec<Span>),
    Item(Vec<Span>),
    Task { number: usize, text: Vec<Span>, check: Check },
    Question { number: usize, answers: Vec<(Vec<Span>, bool)> },
}

/// Words of one look.
#[derive(Clone, Debug, Default, PartialEq)]
struct Span {
    text: String,
    is_strong: bool,
    is_code: bool,
    action: Option<Action>,
}

/// When a task is done: the words after `studio:check/`.
#[derive(Clone, Debug, PartialEq)]
enum Check {
    /// `sample NAME`: the sample is open.
    Sample(String),
    /// `selected N`: so many atoms are selected.
    Selected(usize),
    /// `drawn WORD`: the representation has this name.
    Drawn(String),
    /// `colour WORD`: the colours mean this.
    Colour(String),
    /// `results`: there are results.
    Results,
    /// `series`: there are results of several ligands.
    Series,
    /// `pose N`: this pose or one after it is shown.
    Pose(usize),
    /// `score X`: some pose has this score or a better one, kcal/mol.
    Score(f32),
    /// `another SMILES`: a ligand is given as SMILES, and not as this.
    Another(String),
    /// `measured N`: so many distances and angles are in the view.
    Measured(usize),
    /// `ensemble`: several models of one thing are shown.
    Ensemble,
    /// `interactions on`, `interactions off`.
    Interactions(bool),
}

impl Check {
    fn parse(words: &str) -> Option<Self> {
        let (kind, rest) = words.split_once(' ').unwrap_or((words, ""));
        let rest = rest.trim();
        Some(match kind {
            "sample" if !rest.is_empty() => Self::Sample(rest.to_owned()),
            "selected" => Self::Selected(rest.parse().ok()?),
            "drawn" if !rest.is_empty() => Self::Drawn(rest.to_owned()),
            "colour" if !rest.is_empty() => Self::Colour(rest.to_owned()),
            "results" => Self::Results,
            "series" => Self::Series,
            "pose" => Self::Pose(rest.parse().ok()?),
            "score" => Self::Score(rest.parse().ok().filter(|value: &f32| value.is_finite())?),
            "another" if !rest.is_empty() => Self::Another(rest.to_owned()),
            "measured" => Self::Measured(rest.parse().ok()?),
            "ensemble" => Self::Ensemble,
            "interactions" => Self::Interactions(match rest {
                "on" => true,
                "off" => false,
                _ => return None,
            }),
            _ => return None,
        })
    }
}

/// What is being read.
#[derive(Default)]
struct Reading {
    blocks: Vec<Block>,
    spans: Vec<Span>,
    look: Span,
    is_task: bool,
    check: Option<Check>,
    tasks: usize,
    problems: Vec<String>,
}

impl Reading {
    fn say(&mut self, text: &str) {
        if !text.is_empty() {
            self.spans.push(Span { text: text.to_owned(), ..self.look.clone() });
        }
    }

    fn link(&mut self, target: &str) {
        let words = target.replace("%20", " ");
        if let Some(check) = words.strip_prefix("studio:check/") {
            self.check = Check::parse(check);
            if self.check.is_none() {
                self.problems.push(words);
            }
        } else if target.starts_with("studio:") {
            self.look.action = Action::of_link(target);
            if self.look.action.is_none() {
                self.problems.push(words);
            }
        }
    }

    /// Ends an item of a list: a task, an answer, or just an item.
    fn end_item(&mut self) {
        let mut spans = std::mem::take(&mut self.spans);
        let (is_task, check) = (std::mem::take(&mut self.is_task), self.check.take());
        if is_task && let Some(check) = check {
            self.blocks.push(Block::Task { number: self.tasks, text: spans, check });
            self.tasks += 1;
            return;
        }
        if is_task {
            self.problems.push(spans.iter().map(|span| span.text.as_str()).collect());
        }
        let Some(first) = spans.first_mut() else { return };
        let answer = [("( )", false), ("(x)", true)]
            .into_iter()
            .find_map(|(mark, is_right)| Some((first.text.strip_prefix(mark)?.trim_start().to_owned(), is_right)));
        let Some((text, is_right)) = answer else {
            self.blocks.push(Block::Item(spans));
            return;
        };
        first.text = text;
        if let Some(Block::Question { answers, .. }) = self.blocks.last_mut() {
            answers.push((spans, is_right));
        } else {
            self.blocks.push(Block::Question { number: self.tasks, answers: vec![(spans, is_right)] });
            self.tasks += 1;
        }
    }

    fn end_text(&mut self, block: fn(Vec<Span>) -> Block) {
        let spans = std::mem::take(&mut self.spans);
        if !spans.is_empty() {
            self.blocks.push(block(spans));
        }
    }
}

impl Lesson {
    /// Reads a lesson's text.
    #[must_use]
    pub fn parse(name: &str, text: &str) -> Self {
        let mut reading = Reading::default();
        let mut title = String::new();
        let mut items = 0_usize;
        for event in Parser::new_ext(text, Options::ENABLE_TASKLISTS) {
            if reading.blocks.len() >= MOST || reading.spans.len() >= MOST {
                break;
            }
            match event {
                Event::Text(text) => reading.say(&text),
                Event::Code(text) => {
                    reading.look.is_code = true;
                    reading.say(&text);
                    reading.look.is_code = false;
                }
                Event::SoftBreak | Event::HardBreak => reading.say(" "),
                Event::TaskListMarker(_) => reading.is_task = true,
                Event::Start(Tag::Strong | Tag::Emphasis) => reading.look.is_strong = true,
                Event::End(TagEnd::Strong | TagEnd::Emphasis) => reading.look.is_strong = false,
                Event::Start(Tag::Link { dest_url, .. }) => reading.link(&dest_url),
                Event::End(TagEnd::Link) => reading.look.action = None,
                Event::Start(Tag::Item) => items += 1,
                Event::End(TagEnd::Item) => {
                    items = items.saturating_sub(1);
                    reading.end_item();
                }
                // A paragraph in an item belongs to the item.
                Event::End(TagEnd::Paragraph) if items == 0 => reading.end_text(Block::Text),
                Event::End(TagEnd::CodeBlock) => reading.end_text(Block::Text),
                Event::End(TagEnd::Heading(level)) => {
                    let words: String = reading.spans.iter().map(|span| span.text.as_str()).collect();
                    if level == HeadingLevel::H1 && title.is_empty() {
                        title = words;
                        reading.spans.clear();
                    } else {
                        reading.end_text(Block::Heading);
                    }
                }
                _ => {}
            }
        }
        let Reading { blocks, tasks, problems, .. } = reading;
        let title = if title.is_empty() { name.to_owned() } else { title };
        Self { name: name.to_owned(), title, blocks, tasks, problems }
    }
}

/// All lessons in a language: ours, then those of a folder by name. What is wrong with one is told in its place.
#[must_use]
pub fn read_all(folder: &Path, language: Language) -> Vec<Lesson> {
    let own = OWN.map(|(name, english, korean)| {
        Lesson::parse(name, if language == Language::Korean { korean } else { english })
    });
    let mut lessons = Vec::from(own);
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .take(MOST)
        .collect();
    folders.sort();
    for path in folders {
        let name = super::document::file_name(&path);
        let wanted = path.join(format!("{}.md", language.code()));
        let english = path.join(format!("{}.md", Language::English.code()));
        let file = if wanted.symlink_metadata().is_ok() { wanted } else { english };
        match read(&file) {
            Ok(Some(text)) => lessons.push(Lesson::parse(&name, &text)),
            Ok(None) => {}
            Err(problem) => {
                let problems = vec![problem];
                lessons.push(Lesson { title: name.clone(), name, blocks: Vec::new(), tasks: 0, problems });
            }
        }
    }
    lessons
}

/// The text of a plain file that is not too large; `None` where there is no file.
fn read(path: &Path) -> Result<Option<String>, String> {
    let told = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let about = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(&error)),
        Ok(about) => about,
    };
    if !about.is_file() {
        return Err(told(&"not a plain file"));
    }
    if about.len() > LARGEST {
        return Err(told(&format!("larger than {} kB", LARGEST >> 10)));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| told(&error))?;
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| told(&error))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

impl Studio {
    /// Whether what a task asks for is so.
    fn holds(&self, check: &Check) -> bool {
        match check {
            Check::Sample(name) => self
                .query_path
                .as_deref()
                .is_some_and(|path| self.samples.iter().any(|sample| sample.name == *name && sample.query == path)),
            Check::Selected(count) => self.viewport.selected().atom_count == *count,
            Check::Drawn(word) => {
                format!("{:?}", self.document.view.representation).eq_ignore_ascii_case(&word.replace(' ', ""))
            }
            Check::Colour(word) => self.document.view.colour.name().strip_prefix("colour-") == Some(word.as_str()),
            Check::Results => self.outcome.is_some(),
            Check::Series => self.outcome.as_ref().is_some_and(|outcome| outcome.ligands.len() > 1),
            Check::Pose(number) => self.outcome.is_some() && self.shown_pose + 1 >= *number,
            Check::Score(score) => self.outcome.as_ref().is_some_and(|outcome| {
                let mut poses = outcome.ligands.iter().flat_map(|ligand| &ligand.poses);
                poses.any(|pose| pose.score.score_kcal_per_mol <= *score)
            }),
            Check::Another(smiles) => self.document.query.ligands().any(|ligand| {
                matches!(&ligand.source, kfold_inference::query::LigandSource::Smiles(own)
                    if !own.is_empty() && own != smiles)
            }),
            Check::Measured(count) => self.document.measurements.len() >= *count,
            Check::Ensemble => self.ensemble.is_some(),
            Check::Interactions(on) => self.document.view.interactions == *on,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What its links do and its tasks ask for.
    fn does(lesson: &Lesson) -> Vec<String> {
        let mut does = Vec::new();
        for block in &lesson.blocks {
            let spans = match block {
                Block::Heading(spans) | Block::Text(spans) | Block::Item(spans) => spans,
                Block::Task { text, check, .. } => {
                    does.push(format!("{check:?}"));
                    text
                }
                Block::Question { .. } => continue,
            };
            does.extend(spans.iter().filter_map(|span| Some(format!("{:?}", span.action.as_ref()?))));
        }
        // The order of words differs between languages.
        does.sort();
        does
    }

    fn words(spans: &[Span]) -> String {
        spans.iter().map(|span| span.text.as_str()).collect()
    }

    #[test]
    fn our_lessons_are_whole_and_alike_in_both_languages() {
        let folder = tempfile::tempdir().unwrap();
        let [english, korean] = [Language::English, Language::Korean].map(|language| read_all(folder.path(), language));
        assert_eq!(english.len(), 6);
        for (english, korean) in english.iter().zip(&korean) {
            for lesson in [english, korean] {
                assert_eq!(lesson.problems, Vec::<String>::new(), "{}", lesson.name);
                assert!(lesson.tasks >= 3, "{} has {} tasks", lesson.name, lesson.tasks);
            }
            assert_ne!(english.title, korean.title);
            let kinds = |lesson: &Lesson| lesson.blocks.iter().map(std::mem::discriminant).collect::<Vec<_>>();
            assert_eq!(kinds(english), kinds(korean), "{}", english.name);
            for lesson in [english, korean] {
                for block in &lesson.blocks {
                    if let Block::Question { answers, .. } = block {
                        assert_eq!(answers.iter().filter(|(_, is_right)| *is_right).count(), 1, "{}", lesson.name);
                    }
                }
            }
            assert_eq!(does(english), does(korean), "{}", english.name);
        }
    }

    #[test]
    fn links_tasks_and_questions_are_understood_and_mistakes_told() {
        let lesson = Lesson::parse(
            "own",
            "# My lesson\n\nLook at the [ligand](studio:command/focus-ligand), **closely**; [more](https://example.org).\n\n\
             - [ ] Select [two](<studio:select/chain A and resi 25>) residues [](<studio:check/selected 16>)\n\
             - plain\n- [ ] no check\n\nWhich?\n\n- ( ) one\n- (x) two\n\n[bad](studio:open/etc) [](studio:check/x)\n",
        );
        assert_eq!((lesson.title.as_str(), lesson.tasks), ("My lesson", 2));
        let Block::Text(text) = &lesson.blocks[0] else { panic!("{:?}", lesson.blocks) };
        assert_eq!(text[1].action, Action::of_link("studio:command/focus-ligand"));
        assert!(text[3].is_strong);
        assert_eq!(text.last().unwrap().action, None);
        let Block::Task { text, check, .. } = &lesson.blocks[1] else { panic!("{:?}", lesson.blocks) };
        assert_eq!((words(text).trim(), check), ("Select two residues", &Check::Selected(16)));
        let Some(Block::Question { answers, .. }) = lesson.blocks.iter().rev().nth(1) else {
            panic!("{:?}", lesson.blocks)
        };
        assert_eq!(answers.iter().map(|(_, right)| *right).collect::<Vec<_>>(), [false, true]);
        assert_eq!(lesson.problems.len(), 3, "{:?}", lesson.problems);
    }

    #[test]
    fn hostile_folders_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        std::fs::write(path("a_large").join("en.md"), vec![b'a'; LARGEST as usize + 1]).unwrap();
        let nested = "> ".repeat(20_000) + &"- ".repeat(20_000) + &"[".repeat(20_000) + &"*a_".repeat(20_000);
        std::fs::write(path("b_deep").join("en.md"), nested).unwrap();
        std::fs::write(path("c_bytes").join("en.md"), [0xFF, 0xFE, 0, 1, 2]).unwrap();
        let many = "- [ ] x [](studio:check/results)\n".repeat(8_000);
        std::fs::write(path("d_many").join("en.md"), many).unwrap();
        path("e_empty");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc/passwd", path("f_link").join("en.md")).unwrap();
            std::os::unix::fs::symlink("/etc", folder.path().join("g_link")).unwrap();
        }
        let lessons = read_all(folder.path(), Language::Korean);
        let named = |name: &str| lessons.iter().find(|lesson| lesson.name == name);
        assert!(named("a_large").unwrap().problems[0].contains("larger"));
        assert!(named("d_many").unwrap().blocks.len() <= MOST);
        assert!(named("b_deep").is_some() && named("c_bytes").is_some() && named("e_empty").is_none());
        #[cfg(unix)]
        {
            assert!(named("f_link").unwrap().problems[0].contains("not a plain file"));
            assert!(named("g_link").is_none());
        }
    }
}

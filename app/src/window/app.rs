//! The window: its state, its layout, and what each command does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::Ui;
use kfold_inference::query::{LigandSource, Pocket, Query};
use kfold_inference::settings::Settings;
use kfold_molecule::Selection;

use super::background::{Background, Lane, Loaded};
use super::command::Command;
use super::compare::Compare;
use super::dialogs::{self, ExportKind, Purpose};
use super::dock::Dock;
use super::document::{self, DEFAULT_PADDING, Document, Representation};
use super::ensemble::{Ensemble, EnsembleKey};
use super::files::{self, FileKind, Places, Preferences, Sample};
use super::history::History;
use super::jobs::log::Log;
use super::jobs::{JobView, Watcher};
use super::lessons::Lessons;
use super::library::Library;
use super::measure::{AtomPlace, Measuring};
use super::message::Message;
use super::modal::Modal;
use super::notices::Notices;
use super::numbers::Numbers;
use super::opaque;
use super::outcome::Outcome;
use super::palette::Palette;
use super::preferences::Page;
use super::preferences::licenses::LicensePage;
use super::preferences::servers::ServerPage;
use super::reading::Reading;
use super::run::Run;
use super::scene::Plan;
use super::selection::{self, Grain};
use super::series::Series;
use super::session::Keeper;
use super::theme::{self, palette};
use super::tour::Tour;
use super::viewport::Viewport;
use super::widgets::Tone;
use crate::texts::{Language, Texts};

/// The program's window.
pub struct Studio {
    pub(super) texts: Arc<Texts>,
    pub(super) preferences: Preferences,
    pub(super) places: Places,
    pub(super) samples: Vec<Sample>,
    pub(super) document: Document,
    pub(super) history: History<Document>,
    /// The query's file, once it has one.
    pub(super) query_path: Option<PathBuf>,
    /// The query and settings as they stand in their file.
    pub(super) saved: (Query, Settings),
    /// How the panes lie.
    pub(super) dock: Dock,
    /// What is typed as the name of a layout.
    pub(super) layout_name: String,
    pub(super) background: Background,
    pub(super) library: Library,
    pub(super) run: Option<Run>,
    /// Names of the user's servers.
    pub(super) servers: Vec<String>,
    /// Those that the user has agreed to send queries to.
    pub(super) agreed_servers: std::collections::BTreeSet<String>,
    /// The jobs, wherever they are computed.
    pub(super) jobs: Arc<Vec<JobView>>,
    pub(super) watcher: Watcher,
    /// The log that is shown.
    pub(super) log: Option<Log>,
    /// The server of these that does the work, when it is not this computer.
    pub(super) server: Option<usize>,
    /// Whether the way is being chosen at the moment, for a query with an automatic engine.
    pub(super) is_choosing: bool,
    pub(super) outcome: Option<Arc<Outcome>>,
    /// Indices of the ligand and the pose that are shown.
    pub(super) shown_ligand: usize,
    pub(super) shown_pose: usize,
    /// The ensemble on the screen and its place in time.
    pub(super) ensemble: Option<(EnsembleKey, Loaded<Ensemble>)>,
    pub(super) shown_model: usize,
    pub(super) playing_since: Option<f64>,
    /// What is read out of results.
    pub(super) reading: Reading,
    /// What is compared with what is shown.
    pub(super) compare: Compare,
    /// What is looked at of a series.
    pub(super) series: Series,
    /// The numbers for which a file is asked.
    pub(super) numbers: Option<Numbers>,
    pub(super) viewport: Viewport,
    pub(super) notices: Notices,
    pub(super) modal: Option<Modal>,
    pub(super) help_open: bool,
    /// What the query panel remembers beside the document.
    pub(super) query_editor: super::query::Editor,
    /// The palette, while it is open.
    pub(super) palette: Option<Palette>,
    /// The page of the settings that is open.
    pub(super) preferences_page: Option<Page>,
    pub(super) license_page: LicensePage,
    pub(super) server_page: ServerPage,
    /// Where the tour is, while there is one.
    pub(super) tour: Option<Tour>,
    pub(super) lessons: Lessons,
    /// Whether the network was closed when this was last seen to.
    pub(super) was_offline: bool,
    pub(super) keeper: Keeper,
    /// The ligand and pose that a session had shown, until its results are here.
    pub(super) wanted_pose: Option<(usize, usize)>,
    /// The run whose results were asked for last: those of others come too late to be shown.
    pub(super) awaited_results: Option<PathBuf>,
    /// What clicks in the view measure.
    pub(super) measuring: Measuring,
    /// The atoms of the next measurement, as far as they are clicked.
    pub(super) measured: Vec<AtomPlace>,
    /// What a click in the view selects.
    pub(super) grain: Grain,
    /// The kept view that was gone to last.
    pub(super) current_view: Option<usize>,
    /// What was selected when the selection field was entered: `sel` in what is typed there.
    pub(super) selection_before_typing: Option<Selection>,
    pub(super) scene_is_building: bool,
    /// Whether the view shows what it should.
    pub(super) scene_is_current: bool,
    /// What the scene is built from at the moment, and what it could not be built from.
    pub(super) asked_plan: Option<Plan>,
    pub(super) faulty_plan: Option<Plan>,
    /// The user's colours, while the program's own choice for a result stands in their place.
    pub(super) colour_before: Option<document::ColourBy>,
    may_close: bool,
}

impl Studio {
    /// A window with an empty query.
    ///
    /// # Errors
    /// When the system gives no threads or the graphics adapter cannot draw molecules.
    pub fn new(
        context: &egui::Context,
        graphics: Option<&egui_wgpu::RenderState>,
        places: Places,
    ) -> anyhow::Result<Self> {
        let is_first = !places.preferences.exists();
        let preferences = Preferences::read(&places.preferences);
        theme::install(context);
        if let Some(graphics) = graphics {
            opaque::install(graphics);
        }
        // Zoom belongs to the view; the window's own would take its keys.
        context.options_mut(|options| options.zoom_with_keyboard = false);
        // Where the system does not say, a light window: most figures and most papers are light.
        context.options_mut(|options| options.fallback_theme = egui::Theme::Light);
        let document = Document::default();
        let samples = places.samples.as_deref().map(files::samples_in).unwrap_or_default();
        let background = Background::new(context)?;
        let watcher = Watcher::start(places.runs.clone(), background.outbox())?;
        let servers = super::run::servers_of(&places);
        kfold_inference::network::set_offline(preferences.offline);
        let keeper = Keeper::start(places.sessions.clone(), background.outbox())?;
        let mut studio = Self {
            texts: Arc::new(Texts::new(preferences.language)),
            history: History::new(document.clone()),
            saved: (document.query.clone(), document.settings.clone()),
            document,
            query_path: None,
            dock: preferences.layout.as_ref().map(Dock::from_layout).unwrap_or_default(),
            layout_name: String::new(),
            background,
            library: Library::default(),
            run: None,
            servers: Vec::new(),
            agreed_servers: std::collections::BTreeSet::new(),
            jobs: Arc::default(),
            watcher,
            log: None,
            server: None,
            is_choosing: false,
            outcome: None,
            shown_ligand: 0,
            shown_pose: 0,
            ensemble: None,
            shown_model: 0,
            playing_since: None,
            reading: Reading::default(),
            compare: Compare::default(),
            series: Series::default(),
            numbers: None,
            viewport: Viewport::new(graphics, context),
            notices: Notices::default(),
            modal: None,
            help_open: false,
            query_editor: super::query::Editor::default(),
            palette: None,
            preferences_page: None,
            license_page: LicensePage::default(),
            server_page: ServerPage::default(),
            tour: is_first.then_some(Tour::Welcome),
            lessons: Lessons::default(),
            was_offline: false,
            keeper,
            wanted_pose: None,
            awaited_results: None,
            measuring: Measuring::Off,
            measured: Vec::new(),
            grain: Grain::default(),
            current_view: None,
            selection_before_typing: None,
            scene_is_building: false,
            scene_is_current: false,
            asked_plan: None,
            faulty_plan: None,
            colour_before: None,
            may_close: false,
            preferences,
            places,
            samples,
        };
        studio.tell_faults();
        studio.take_servers(&servers);
        studio.apply_preferences(context);
        studio.look_for_sessions();
        Ok(studio)
    }

    /// The texts in the language in force.
    #[must_use]
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// What is edited.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The notices now shown.
    #[must_use]
    pub fn notice_texts(&self) -> Vec<&str> {
        self.notices.texts()
    }

    /// Whether a prediction is running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.run.as_ref().is_some_and(Run::is_going)
    }

    /// Whether everything asked of the background has come, the view shows it, the camera stands, and the history has it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let view_is_settled = self.scene_is_current && !self.viewport.is_waiting() && !self.viewport.is_travelling();
        view_is_settled && self.background.is_idle() && self.history.is_settled()
    }

    /// Switches the language and remembers it.
    pub fn set_language(&mut self, language: Language) {
        self.texts = Arc::new(Texts::new(language));
        self.tell_faults();
        self.preferences.language = language;
        self.keep_preferences();
    }

    /// Gives the background the words for faults in the language in force.
    pub(super) fn tell_faults(&mut self) {
        let texts = Arc::clone(&self.texts);
        self.background.tell_faults(move |what| texts.with("background-fault", [("what", what.to_owned().into())]));
    }

    pub(super) fn keep_preferences(&mut self) {
        let preferences = self.preferences.clone();
        let path = self.places.preferences.clone();
        self.background.submit(Lane::Files, move || {
            let result = preferences.write(&path).map_err(|error| format!("{}: {error}", path.display()));
            Message::Written { path, is_query: false, is_silent: true, result }
        });
    }

    pub(super) fn tell(&mut self, tone: Tone, text: String) {
        self.notices.add(tone, text);
    }

    /// Does what a menu entry, a button or a key asks for.
    pub(super) fn do_command(&mut self, command: Command, context: &egui::Context) {
        match command {
            Command::New => self.set_query(Query::default(), Settings::default(), None),
            Command::Open => self.ask_for_file(Purpose::Open),
            Command::OpenRun => self.ask_for_file(Purpose::OpenRun),
            Command::Save => match self.query_path.clone() {
                Some(path) => self.save_query(path),
                None => self.ask_for_file(Purpose::SaveQuery),
            },
            Command::SaveAs => self.ask_for_file(Purpose::SaveQuery),
            Command::Export(kind) => self.ask_for_export(kind),
            Command::Undo | Command::Redo if self.undo_sketch(command == Command::Redo) => {}
            Command::Undo | Command::Redo => {
                if command == Command::Undo {
                    self.history.undo(&mut self.document);
                } else {
                    self.history.redo(&mut self.document);
                }
                self.viewport.restore(self.document.camera);
            }
            Command::Predict => self.predict(),
            Command::Cancel => self.cancel_run(),
            Command::PreviousPose => self.step_pose(false),
            Command::NextPose => self.step_pose(true),
            Command::Play => {
                let now = context.input(|input| input.time);
                self.playing_since = if self.playing_since.is_some() { None } else { Some(now) };
            }
            Command::Cartoon => self.document.view.representation = Representation::Cartoon,
            Command::Sticks => self.document.view.representation = Representation::Sticks,
            Command::Spheres => self.document.view.representation = Representation::Spheres,
            Command::Surface => self.document.view.representation = Representation::Surface,
            Command::Site => self.document.view.site = !self.document.view.site,
            Command::Interactions => self.document.view.interactions = !self.document.view.interactions,
            Command::ResetView => self.viewport.frame_all(),
            Command::FocusLigand => self.viewport.frame_focus(),
            Command::Select => context.memory_mut(|memory| memory.request_focus(selection::field_id())),
            Command::FocusSelection => self.viewport.frame_selected(),
            Command::HideSelection => self.hide_selection(),
            Command::IsolateSelection => self.isolate_selection(),
            Command::ShowAll => self.document.view.hidden = None,
            Command::Appearance => {
                let dark = context.theme() == egui::Theme::Light;
                context.set_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light });
                self.preferences.dark = Some(dark);
                self.keep_preferences();
            }
            Command::Language => {
                let current = self.texts.language();
                let place = Language::ALL.iter().position(|language| *language == current).unwrap_or(0);
                let next = Language::ALL.get(place + 1).or(Language::ALL.first()).copied().unwrap_or_default();
                self.set_language(next);
            }
            Command::Help => self.help_open = !self.help_open,
            Command::ShowPane(pane) => self.dock.show(pane),
            Command::NextPane | Command::PreviousPane => {
                let next = self.dock.neighbour(command == Command::NextPane, |pane| self.is_pane_open(pane));
                self.dock.show(next);
            }
            Command::Colour(colour) => self.document.view.colour = colour,
            Command::Style(change) => self.change_style(change),
            Command::Tool(tool) => self.viewport.tool = tool,
            Command::SaveView => self.save_view(),
            Command::NextView | Command::PreviousView => self.step_view(command == Command::NextView),
            Command::Palette => self.open_palette(context),
            Command::Preferences => self.preferences_page = Some(Page::General),
            Command::About => self.preferences_page = Some(Page::About),
            Command::Offline => {
                self.preferences.offline = !self.preferences.offline;
                self.apply_preferences(context);
                self.keep_preferences();
                let key = if self.preferences.offline { "offline-on" } else { "offline-off" };
                self.tell(Tone::Info, self.texts.get(key));
            }
            Command::Tour => self.start_tour(),
            Command::SaveSession => self.ask_for_file(Purpose::SaveSession),
            Command::ContinueSession => self.continue_session(),
            Command::ResetPanes => self.set_layout(Dock::default()),
        }
    }

    pub(super) fn ask_for_export(&mut self, kind: ExportKind) {
        if self.can_export(kind) {
            self.ask_for_file(Purpose::Export(kind));
        } else {
            let key = if kind.needs_result() { "export-needs-result" } else { "export-needs-structure" };
            self.tell(Tone::Info, self.texts.get(key));
        }
    }

    /// Opens the system's file dialog, or a field for the path where there is none.
    pub(super) fn ask_for_file(&mut self, purpose: Purpose) {
        if !self.places.has_dialogs {
            self.modal = Some(Modal::path(purpose, self.suggested_path(purpose)));
            return;
        }
        let suggestion = self.suggested_path(purpose);
        let asked = dialogs::ask(
            self.background.outbox(),
            purpose,
            self.texts.get(purpose.title()),
            self.texts.get("dialog-files"),
            suggestion.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            suggestion.parent().filter(|folder| folder.is_dir()).map(Path::to_path_buf),
        );
        if let Err(error) = asked {
            self.tell(Tone::Bad, error.to_string());
            self.modal = Some(Modal::path(purpose, suggestion));
        }
    }

    fn suggested_path(&self, purpose: Purpose) -> PathBuf {
        let folder = self
            .query_path
            .as_deref()
            .and_then(Path::parent)
            .map(Path::to_path_buf)
            .or_else(|| std::env::current_dir().ok())
            .unwrap_or_default();
        let name = if self.document.query.name.is_empty() { "query" } else { &self.document.query.name };
        match purpose {
            Purpose::SaveQuery => folder.join(format!("{name}.yaml")),
            Purpose::Export(kind) => folder.join(format!("{name}{}.{}", kind.suffix(), kind.extension())),
            Purpose::Numbers => {
                let suffix = self.numbers.as_ref().map_or("numbers", |numbers| numbers.suffix);
                folder.join(format!("{name}_{suffix}.csv"))
            }
            Purpose::SaveSession => folder.join(format!("{name}.{}", super::session::EXTENSION)),
            Purpose::OpenRun => self.places.runs.join(""),
            _ => folder.join(""),
        }
    }

    /// What to do with the file that was chosen.
    pub(super) fn file_chosen(&mut self, purpose: Purpose, path: &Path) {
        match purpose {
            Purpose::Open | Purpose::OpenRun => self.open(path),
            Purpose::Structure => {
                self.library.forget(path);
                self.forget_selection();
                self.document.query.structure = Some(path.to_owned());
                self.name_after(path);
            }
            Purpose::Ligand => {
                document::add_ligand(&mut self.document.query, LigandSource::sdf(path));
            }
            Purpose::Series => self.read_series(path),
            Purpose::PocketLigand => {
                self.library.forget(path);
                let padding = match &self.document.query.pocket {
                    Some(Pocket::Ligand { padding, .. } | Pocket::Residues { padding, .. }) => *padding,
                    Some(Pocket::Box { .. }) | None => DEFAULT_PADDING,
                };
                self.document.query.pocket = Some(Pocket::Ligand { file: path.to_owned(), padding });
            }
            Purpose::Apo(index) => {
                if let Some(kfold_inference::query::Entity::Protein(polymer)) =
                    self.document.query.sequences.get_mut(index)
                {
                    polymer.apo.push(path.to_owned());
                }
            }
            Purpose::Compare => self.compare_with(super::compare::Other::File(path.to_owned())),
            Purpose::SaveQuery => self.save_query(path.to_owned()),
            Purpose::Export(kind) => self.export(kind, path.to_owned()),
            Purpose::Certificate => self.take_certificate(path),
            Purpose::Numbers => self.write_numbers(path.to_owned()),
            Purpose::SaveSession => self.save_session(path.to_owned()),
        }
    }

    /// Opens a file, a run's folder, or a folder with a query in it.
    pub fn open(&mut self, path: &Path) {
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if !path.exists() {
            let text = self.texts.with("open-missing", [("path", path.display().to_string().into())]);
            self.tell(Tone::Bad, text);
            return;
        }
        if path.is_dir() && path.join("query.yaml").is_file() {
            self.open(&path.join("query.yaml"));
            return;
        }
        if let Some(run) = files::run_around(path) {
            self.open(&run);
            return;
        }
        self.keeper.is_superseded = true;
        match FileKind::of(path) {
            Some(FileKind::Query | FileKind::Sequences) => self.read_query(path),
            Some(FileKind::Run) => self.open_run(path),
            Some(FileKind::Session) => self.open_session(path),
            Some(FileKind::Structure) => {
                self.library.forget(path);
                self.forget_selection();
                self.document.query.structure = Some(path.clone());
                self.document.camera = None;
                self.name_after(path);
                self.leave_results();
            }
            Some(FileKind::Molecules) => self.file_chosen(Purpose::Ligand, path),
            Some(FileKind::Series) => self.read_series(path),
            None => {
                let text = self.texts.with("open-unknown", [("path", path.display().to_string().into())]);
                self.tell(Tone::Bad, text);
                return;
            }
        }
        self.preferences.remember(path);
        self.keep_preferences();
    }

    /// Gives the query the name of its first file, when it has none.
    pub(super) fn name_after(&mut self, path: &Path) {
        if self.document.query.name.is_empty() {
            let stem = document::file_name(path);
            let stem = stem.split('.').next().unwrap_or_default();
            let name: String = stem
                .chars()
                .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') { letter } else { '_' })
                .collect();
            if super::problems::is_name(&name) {
                self.document.query.name = name;
            }
        }
    }

    fn read_query(&mut self, path: &Path) {
        let path = path.to_owned();
        self.submit(Lane::Files, move || {
            let result = kfold_inference::query::import(&path).map_err(|error| error.to_string());
            Message::QueryRead { path, result }
        });
    }

    fn read_series(&mut self, path: &Path) {
        let path = path.to_owned();
        self.submit(Lane::Files, move || {
            let result = kfold_inference::query::read_series(&path).map_err(|error| error.to_string());
            Message::SeriesRead { result }
        });
    }

    /// Queues work and says so when it cannot be queued.
    pub(super) fn submit(&mut self, lane: Lane, task: impl FnOnce() -> Message + Send + 'static) {
        if !self.background.submit(lane, task) {
            let text = self.texts.get("background-busy");
            self.tell(Tone::Warning, text);
        }
    }

    /// Queues work for which something waits ([`Background::attempt`]) and says so when it cannot be queued.
    pub(super) fn attempt<T: 'static>(
        &mut self,
        lane: Lane,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
        done: impl FnOnce(Result<T, String>) -> Message + Send + 'static,
    ) {
        if !self.background.attempt(lane, work, done) {
            self.tell(Tone::Warning, self.texts.get("background-busy"));
        }
    }

    /// Replaces the query: one step of the history, so undo brings the old one back.
    pub(super) fn set_query(&mut self, query: Query, settings: Settings, path: Option<PathBuf>) {
        self.history.commit(&self.document);
        for (_, file) in query.files() {
            self.library.forget(file);
        }
        self.document.query = query;
        self.document.settings = settings;
        self.document.camera = None;
        self.viewport.restore(None);
        self.forget_selection();
        self.history.commit(&self.document);
        self.saved = (self.document.query.clone(), self.document.settings.clone());
        self.query_path = path;
        self.query_editor.start_again();
        self.leave_results();
    }

    /// Shows the query again instead of a result.
    pub(super) fn leave_results(&mut self) {
        self.awaited_results = None;
        self.outcome = None;
        self.ensemble = None;
        self.playing_since = None;
        if let Some(before) = self.colour_before.take()
            && self.document.view.colour == document::ColourBy::Plddt
        {
            self.document.view.colour = before;
        }
        self.shown_ligand = 0;
        self.shown_pose = 0;
        self.shown_model = 0;
        if !self.is_running() {
            self.run = None;
        }
    }

    fn save_query(&mut self, path: PathBuf) {
        let query = self.query_with_settings();
        self.saved = (self.document.query.clone(), self.document.settings.clone());
        self.submit(Lane::Files, move || {
            let result = query.write(&path).map_err(|error| error.to_string());
            Message::Written { path, is_query: true, is_silent: false, result }
        });
    }

    fn take_messages(&mut self) {
        for message in self.background.take() {
            let Some(message) = self.library.take(message) else {
                continue;
            };
            self.take_message(message);
        }
    }

    fn take_message(&mut self, message: Message) {
        match message {
            Message::Crashed { lane, what } => {
                if lane == Lane::Scene {
                    // Not again until something else is to be drawn: it would fall over in each frame.
                    self.scene_is_building = false;
                    self.faulty_plan = self.asked_plan.take();
                }
                let values = [("lane", format!("{lane:?}").into()), ("what", what.into())];
                self.tell(Tone::Bad, self.texts.with("background-crashed", values));
            }
            Message::QueryRead { path, result } => match result {
                Ok(imported) => self.take_imported(&path, imported),
                Err(reason) => self.tell(Tone::Bad, reason),
            },
            Message::Query(news) => self.take_query_news(news),
            Message::SeriesRead { result } => match result {
                Ok(series) => {
                    self.history.commit(&self.document);
                    self.document.query.series = series;
                }
                Err(reason) => self.tell(Tone::Bad, reason),
            },
            Message::SceneBuilt(built) => {
                self.scene_is_building = false;
                self.viewport.take_scene(*built);
            }
            Message::EnsembleReady { key, result } => {
                if let Some((held, loaded)) = &mut self.ensemble
                    && *held == key
                {
                    *loaded = match result {
                        Ok(ensemble) => Loaded::Ready(ensemble),
                        Err(reason) => Loaded::Failed(reason),
                    };
                    self.shown_model = 0;
                    self.playing_since = None;
                }
            }
            Message::DialogAnswered { purpose, path, is_missing } => match path {
                Some(path) => self.file_chosen(purpose, &path),
                None if is_missing => self.modal = Some(Modal::path(purpose, self.suggested_path(purpose))),
                None => {}
            },
            Message::Written { path, is_query, is_silent, result } => match result {
                Ok(()) => {
                    if is_query {
                        self.preferences.remember(&path);
                        self.query_path = Some(path.clone());
                        self.keep_preferences();
                    }
                    if !is_silent {
                        let text = self.texts.with("written-to", [("path", path.display().to_string().into())]);
                        self.tell(Tone::Good, text);
                    }
                }
                Err(reason) => self.tell(Tone::Bad, reason),
            },
            Message::Apply(what_to_do) => what_to_do(self),
            Message::RunQueued { folder, result } => self.take_run_queued(&folder, result),
            Message::RunFound { folder, is_done } => self.take_run_found(folder, is_done),
            Message::QueueChanged { result } => self.take_queue_changed(result),
            Message::Jobs { views, error } => self.take_jobs(views, error),
            Message::LessonsRead { language, lessons } => self.take_lessons(language, lessons),
            Message::LicensesRead(result) => self.take_licenses(result),
            Message::LogRead { folder, result } => self.take_log(&folder, result),
            Message::OutcomeLoaded { folder, result } => self.take_outcome(&folder, result),
            Message::SessionWritten { path, result } => self.take_session_written(path, result),
            Message::LastSession(found) => self.take_last_session(found),
            Message::SessionRead { path, result } => match *result {
                Ok((store, loaded)) => {
                    self.take_session(store, *loaded);
                    self.preferences.remember(&path);
                    self.keep_preferences();
                }
                Err(error) => self.tell(Tone::Bad, self.session_error_text(&error)),
            },
            Message::StructureRead { .. } | Message::MoleculesRead { .. } | Message::LigandReady { .. } => {}
        }
    }

    fn take_dropped_files(&mut self, context: &egui::Context) {
        let dropped = context.input(|input| input.raw.dropped_files.clone());
        for file in dropped {
            self.open(file.path());
        }
    }

    /// Whether there are edits that are in no file.
    pub(super) fn is_unsaved(&self) -> bool {
        let empty = self.document.query == Query::default();
        !empty && (self.saved.0 != self.document.query || self.saved.1 != self.document.settings)
    }

    fn handle_close(&mut self, context: &egui::Context) {
        if !context.input(|input| input.viewport().close_requested()) || self.may_close {
            return;
        }
        if self.is_running() || self.is_unsaved() {
            context.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.modal = Some(Modal::Close);
        }
    }

    pub(super) fn close_now(&mut self, context: &egui::Context) {
        self.may_close = true;
        context.send_viewport_cmd(egui::ViewportCommand::Close);
    }
}

impl Studio {
    /// Shows the window: one frame.
    pub fn frame_ui(&mut self, ui: &mut Ui) {
        let context = ui.ctx().clone();
        self.take_messages();
        self.handle_close(&context);
        self.take_dropped_files(&context);
        if self.modal.is_none() && self.palette.is_none() {
            for command in Command::pressed(&context) {
                self.do_command(command, &context);
            }
        }
        self.advance_ensemble(&context);
        self.look_at_running_series(&context);
        self.follow_unseen_run(&context);

        // One ground under everything; panels have none of their own, which would be a second coat of paint.
        opaque::ground(ui, ui.max_rect(), palette(ui).ground);
        self.top_bar_ui(ui);
        egui::CentralPanel::no_frame().show(ui, |ui| self.dock_ui(ui));

        self.help_ui(ui);
        self.log_ui(ui);
        self.preferences_ui(ui);
        self.tour_ui(ui);
        self.modal_ui(ui);
        self.palette_ui(ui);
        self.drop_hint_ui(ui);
        let texts = Arc::clone(&self.texts);
        self.notices.ui(ui, &texts);

        self.update_scene(context.theme() == egui::Theme::Dark);
        let now = context.input(|input| input.time);
        if let Some((camera, is_own)) = self.viewport.take_move() {
            self.document.camera = Some(camera);
            if is_own {
                self.history.amend(|document| document.camera = Some(camera));
            }
        }
        self.keep_session(&context, now);
        if self.history.observe(&self.document, now) {
            context.request_repaint_after(std::time::Duration::from_secs_f64(super::history::REST_SECONDS + 0.01));
        }
    }
}

impl eframe::App for Studio {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.frame_ui(ui);
    }

    fn on_exit(&mut self) {
        self.close_session();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

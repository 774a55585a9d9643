//! The page of servers: added, asked whether they answer, changed, renamed, removed. A server is asked before it is kept, so that
//! a wrong address or token shows at once; tokens are never shown again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use egui::{RichText, TextEdit, Ui, vec2};
use kfold_inference::remote::client::Client;
use kfold_inference::remote::protocol::Capabilities;
use kfold_inference::remote::servers::{ServerEntry, Servers};

use super::super::app::Studio;
use super::super::background::{Lane, Loaded};
use super::super::dialogs::Purpose;
use super::super::message::Message;
use super::super::theme::{self, palette};
use super::super::widgets::{Tone, field, message, note};
use crate::texts::Texts;

/// Letters of a field at most.
const LETTERS: usize = 2_000;

/// The page.
#[derive(Default)]
pub struct ServerPage {
    /// The servers as their file has them.
    entries: Vec<ServerEntry>,
    /// What those that were asked answered.
    answers: BTreeMap<String, Loaded<Capabilities>>,
    /// What is being typed.
    draft: Draft,
    /// Whether the draft is being asked at the moment.
    is_asking: bool,
    /// Why it was not kept.
    problem: Option<String>,
}

/// A server as it is typed.
#[derive(Clone, Default)]
struct Draft {
    name: String,
    address: String,
    /// Left empty while a server is changed: its token stays.
    token: String,
    certificate: String,
    /// The name of the server that is changed.
    changes: Option<String>,
}

impl Draft {
    /// The entry, or the key of what is missing.
    fn entry(&self, entries: &[ServerEntry]) -> Result<ServerEntry, &'static str> {
        let old = self.changes.as_ref().and_then(|name| entries.iter().find(|entry| entry.name == *name));
        let name = self.name.trim().to_owned();
        let address = self.address.trim().trim_end_matches('/').to_owned();
        if name.is_empty() {
            return Err("servers-need-name");
        }
        if entries.iter().any(|entry| entry.name == name && Some(&name) != self.changes.as_ref()) {
            return Err("servers-name-taken");
        }
        if address.is_empty() {
            return Err("servers-need-address");
        }
        let token = match (self.token.trim(), old) {
            ("", Some(old)) => old.token.clone(),
            ("", None) => return Err("servers-need-token"),
            (typed, _) => typed.to_owned(),
        };
        let certificate = (!self.certificate.trim().is_empty()).then(|| PathBuf::from(self.certificate.trim()));
        // Agreement was to this address; another is asked for anew.
        let agreed = old.is_some_and(|old| old.agreed && old.url == address);
        Ok(ServerEntry { name, url: address, token, certificate, agreed })
    }
}

/// What the page was asked to do.
enum Ask {
    Test(String),
    Change(String),
    Remove(String),
}

impl Studio {
    /// Takes over the servers as they stand in their file.
    pub(in crate::window) fn take_servers(&mut self, servers: &Servers) {
        let chosen = self.server.and_then(|index| self.servers.get(index)).cloned();
        let entries = servers.entries();
        self.servers = entries.iter().map(|entry| entry.name.clone()).collect();
        self.agreed_servers = entries.iter().filter(|entry| entry.agreed).map(|entry| entry.name.clone()).collect();
        self.server = chosen.and_then(|name| self.servers.iter().position(|held| *held == name));
        self.server_page.entries = entries.to_vec();
    }

    /// A certificate was chosen.
    pub(in crate::window) fn take_certificate(&mut self, path: &std::path::Path) {
        self.server_page.draft.certificate = path.display().to_string();
        self.preferences_page = Some(super::Page::Servers);
    }

    pub(super) fn servers_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        note(ui, &texts.get("servers-note"));
        if self.preferences.offline {
            message(ui, Tone::Warning, &texts.get("servers-offline"));
        }
        ui.add_space(theme::GAP);
        let mut ask = None;
        let entries = self.server_page.entries.clone();
        if entries.is_empty() {
            note(ui, &texts.get("privacy-no-servers"));
        }
        for entry in &entries {
            let answer = self.server_page.answers.get(&entry.name).cloned();
            if let Some(asked) = server_ui(ui, texts, entry, answer.as_ref(), self.preferences.offline) {
                ask = Some(asked);
            }
        }
        match ask {
            Some(Ask::Test(name)) => self.test_server(&name),
            Some(Ask::Change(name)) => self.change_server(&name),
            Some(Ask::Remove(name)) => self.remove_server(&name),
            None => {}
        }
        ui.add_space(theme::GAP);
        self.draft_ui(ui, texts);
    }

    fn draft_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        let page = &mut self.server_page;
        let draft = &mut page.draft;
        let title = match &draft.changes {
            Some(name) => texts.with("servers-change-title", [("name", name.clone().into())]),
            None => texts.get("servers-add-title"),
        };
        ui.label(RichText::new(title).text_style(theme::title_style()));
        let width = 330.0;
        let line = |text| TextEdit::singleline(text).desired_width(width).char_limit(LETTERS);
        field(ui, &texts.get("servers-name"), |ui| ui.add(line(&mut draft.name)));
        let hint = texts.get("servers-address-hint");
        field(ui, &texts.get("servers-address"), |ui| ui.add(line(&mut draft.address).hint_text(hint)));
        let hint = texts.get(if draft.changes.is_some() { "servers-token-kept" } else { "servers-token-hint" });
        field(ui, &texts.get("servers-token"), |ui| ui.add(line(&mut draft.token).password(true).hint_text(hint)));
        let mut is_choosing = false;
        field(ui, &texts.get("servers-certificate"), |ui| {
            let hint = texts.get("servers-certificate-hint");
            let response = ui.add(line(&mut draft.certificate).desired_width(width - 96.0).hint_text(hint));
            let name = texts.get("servers-certificate-choose");
            is_choosing = ui.button(texts.get("servers-choose")).accessible_name(name).clicked();
            response
        });
        if let Some(problem) = &page.problem {
            message(ui, Tone::Bad, problem);
        }
        let (mut keep, mut is_over) = (None, false);
        ui.horizontal(|ui| {
            let button = theme::primary_button(palette(ui), &texts.get("servers-test-and-keep"), vec2(0.0, 28.0));
            let may_ask = !page.is_asking && !self.preferences.offline;
            if ui.add_enabled(may_ask, button).clicked() {
                keep = Some(true);
            }
            if ui.add_enabled(!page.is_asking, egui::Button::new(texts.get("servers-keep"))).clicked() {
                keep = Some(false);
            }
            if page.is_asking {
                ui.spinner();
            }
            if page.draft.changes.is_some() {
                is_over = ui.button(texts.get("dialog-cancel")).clicked();
            }
        });
        if is_choosing {
            self.ask_for_file(Purpose::Certificate);
        }
        if is_over {
            self.server_page.draft = Draft::default();
            self.server_page.problem = None;
        }
        if let Some(is_asked) = keep {
            self.keep_server(texts, is_asked);
        }
    }

    /// Keeps what is typed, after the server has answered where it is to be asked.
    fn keep_server(&mut self, texts: &Texts, is_asked: bool) {
        let page = &mut self.server_page;
        let entry = match page.draft.entry(&page.entries) {
            Ok(entry) => entry,
            Err(key) => {
                page.problem = Some(texts.get(key));
                return;
            }
        };
        page.problem = None;
        page.is_asking = true;
        let old = page.draft.changes.clone();
        let renames = old.as_ref().is_some_and(|old| *old != entry.name);
        if renames && old.as_ref().is_some_and(|old| self.has_open_jobs_on(old)) {
            self.server_page.is_asking = false;
            self.server_page.problem = Some(texts.get("servers-busy"));
            return;
        }
        let path = super::super::run::servers_path(&self.places);
        let work = move || {
            let answer = if is_asked {
                let client = Client::new(&entry).map_err(|error| error.to_string())?;
                Some(client.capabilities().map_err(|error| error.to_string())?)
            } else {
                None
            };
            let mut servers = Servers::read(&path).map_err(|error| error.to_string())?;
            let name = entry.name.clone();
            servers.put(entry).map_err(|error| error.to_string())?;
            if let Some(old) = old.filter(|_| renames) {
                servers.remove(&old).map_err(|error| error.to_string())?;
            }
            Ok((servers, name, answer))
        };
        self.attempt(Lane::Results, work, |result| {
            Message::Apply(Box::new(move |studio: &mut Self| {
                studio.server_page.is_asking = false;
                match result {
                    Ok((servers, name, answer)) => {
                        studio.take_servers(&servers);
                        if let Some(answer) = answer {
                            studio.server_page.answers.insert(name, Loaded::Ready(Arc::new(answer)));
                        }
                        studio.server_page.draft = Draft::default();
                    }
                    Err(reason) => {
                        let reason = super::super::jobs::causes::explain(&studio.texts, &reason);
                        studio.server_page.problem = Some(reason);
                    }
                }
            }))
        });
    }

    fn has_open_jobs_on(&self, server: &str) -> bool {
        self.jobs.iter().any(|job| job.server.as_deref() == Some(server) && job.state.is_open())
    }

    fn test_server(&mut self, name: &str) {
        let Some(entry) = self.server_page.entries.iter().find(|entry| entry.name == name).cloned() else { return };
        let name = entry.name.clone();
        self.server_page.answers.insert(name.clone(), Loaded::Waiting);
        let work = move || {
            let client = Client::new(&entry).map_err(|error| error.to_string())?;
            client.capabilities().map(Arc::new).map_err(|error| error.to_string())
        };
        self.attempt(Lane::Results, work, move |result| {
            Message::Apply(Box::new(move |studio: &mut Self| {
                let texts = Arc::clone(&studio.texts);
                let explain = |reason: String| Loaded::Failed(super::super::jobs::causes::explain(&texts, &reason));
                studio.server_page.answers.insert(name, result.map_or_else(explain, Loaded::Ready));
            }))
        });
    }

    fn change_server(&mut self, name: &str) {
        let Some(entry) = self.server_page.entries.iter().find(|entry| entry.name == name) else { return };
        self.server_page.draft = Draft {
            name: entry.name.clone(),
            address: entry.url.clone(),
            token: String::new(),
            certificate: entry.certificate.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
            changes: Some(entry.name.clone()),
        };
        self.server_page.problem = None;
    }

    fn remove_server(&mut self, name: &str) {
        if self.has_open_jobs_on(name) {
            self.server_page.problem = Some(self.texts.get("servers-busy"));
            return;
        }
        let (path, name) = (super::super::run::servers_path(&self.places), name.to_owned());
        let removed = name.clone();
        let work = move || {
            let mut servers = Servers::read(&path).map_err(|error| error.to_string())?;
            servers.remove(&name).map_err(|error| error.to_string())?;
            Ok(servers)
        };
        self.attempt(Lane::Files, work, move |result| {
            Message::Apply(Box::new(move |studio: &mut Self| match result {
                Ok(servers) => {
                    studio.server_page.answers.remove(&removed);
                    if studio.server_page.draft.changes.as_ref() == Some(&removed) {
                        studio.server_page.draft = Draft::default();
                    }
                    studio.take_servers(&servers);
                }
                Err(reason) => studio.server_page.problem = Some(reason),
            }))
        });
    }
}

/// One server with what it answered; returns what was asked for.
fn server_ui(
    ui: &mut Ui,
    texts: &Texts,
    entry: &ServerEntry,
    answer: Option<&Loaded<Capabilities>>,
    is_offline: bool,
) -> Option<Ask> {
    let colours = palette(ui);
    let mut ask = None;
    theme::card(colours).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.label(RichText::new(&entry.name).text_style(theme::strong_style()));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let named = |key: &str| texts.with(key, [("name", entry.name.clone().into())]);
                let button = |text: &str| egui::Button::new(texts.get(text));
                if ui.add(button("servers-remove")).accessible_name(named("servers-remove-of")).clicked() {
                    ask = Some(Ask::Remove(entry.name.clone()));
                }
                if ui.add(button("servers-change")).accessible_name(named("servers-change-of")).clicked() {
                    ask = Some(Ask::Change(entry.name.clone()));
                }
                let may_test = !is_offline && !matches!(answer, Some(Loaded::Waiting));
                let test = ui.add_enabled(may_test, button("servers-test"));
                if test.accessible_name(named("servers-test-of")).clicked() {
                    ask = Some(Ask::Test(entry.name.clone()));
                }
            });
        });
        ui.label(RichText::new(&entry.url).small().color(colours.text_muted));
        match answer {
            None => {}
            Some(Loaded::Waiting) => {
                ui.spinner();
            }
            Some(Loaded::Failed(reason)) => {
                message(ui, Tone::Bad, reason);
            }
            Some(Loaded::Ready(found)) => {
                let engines: Vec<&str> = found.engines.iter().map(|engine| engine.name.as_str()).collect();
                let devices =
                    if found.devices.is_empty() { texts.get("servers-processor") } else { found.devices.join(", ") };
                let values = [
                    ("engines", engines.join(", ").into()),
                    ("devices", devices.into()),
                    ("running", found.queue.running.into()),
                    ("waiting", found.queue.queued.into()),
                ];
                message(ui, Tone::Good, &texts.with("servers-answer", values));
            }
        }
    });
    ui.add_space(theme::GAP_SMALL);
    ask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_server_keeps_its_token_and_loses_agreement_with_its_address() {
        let old = ServerEntry {
            name: "lab".into(),
            url: "https://a".into(),
            token: "secret".into(),
            certificate: None,
            agreed: true,
        };
        let mut draft = Draft {
            name: " bench ".into(),
            address: "https://a/".into(),
            changes: Some("lab".into()),
            ..Draft::default()
        };
        let entries = [old];
        let entry = draft.entry(&entries).unwrap();
        assert_eq!((entry.name.as_str(), entry.token.as_str(), entry.agreed), ("bench", "secret", true));
        draft.address = "https://b".into();
        assert!(!draft.entry(&entries).unwrap().agreed);
        draft.changes = None;
        assert_eq!(draft.entry(&entries).unwrap_err(), "servers-need-token");
        draft.name = "lab".into();
        assert_eq!(draft.entry(&entries).unwrap_err(), "servers-name-taken");
    }
}

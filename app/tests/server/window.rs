//! A server in the window's settings: added, asked, renamed, chosen, asked about before anything is sent, removed.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use kfold_inference::remote::servers::Servers;
use kfold_studio::texts::Language;

use crate::desk::{Panel, root};
use crate::service::Service;

impl Panel {
    fn open_servers(&mut self) {
        self.desk.press(Modifiers::COMMAND, Key::Comma);
        let page = self.texts.get("preferences-servers");
        self.choose("preferences-title", &page);
    }

    fn fill(&mut self, field: &str, text: &str) {
        let role = if field == "servers-token" { Role::PasswordInput } else { Role::TextInput };
        let name = self.texts.get(field);
        self.desk.write(role, &name, text);
    }

    fn press_of(&mut self, key: &str, server: &str) {
        let label = self.texts.with(key, [("name", server.to_owned().into())]);
        self.press(&label);
    }
}

#[test]
fn a_server_is_added_renamed_chosen_and_removed_in_both_languages() {
    let service = Service::start("");
    let jobs = |service: &Service| service.ask("GET", "/v1/jobs").1["jobs"].as_array().unwrap().len();
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        let file = panel.desk.folder.path().join("servers.json");
        panel.open_servers();
        panel.fill("servers-name", "lab");
        panel.fill("servers-address", &format!("http://{}", service.address));
        panel.fill("servers-token", "not the token");
        panel.press_key("servers-test-and-keep");
        panel.desk.wait_for_label("refused (401)");
        assert!(!file.exists(), "what does not answer is not kept");
        panel.fill("servers-token", &service.token);
        panel.press_key("servers-test-and-keep");
        let answer = panel.texts.with(
            "servers-answer",
            [
                ("engines", "docking".into()),
                ("devices", panel.texts.get("servers-processor").into()),
                ("running", 0.into()),
                ("waiting", 0.into()),
            ],
        );
        panel.desk.wait_for_label(&answer);
        panel.desk.harness.check_accessibility();
        panel.desk.picture(&format!("servers-{}", language.own_name()));

        panel.press_of("servers-change-of", "lab");
        panel.fill("servers-name", "bench");
        panel.press_key("servers-keep");
        let is_renamed = |servers: &Servers| servers.get("bench").is_ok() && servers.get("lab").is_err();
        panel.desk.wait("the new name", |_| Servers::read(&file).is_ok_and(|servers| is_renamed(&servers)));
        panel.desk.rest();
        panel.press_of("servers-test-of", "bench");
        panel.desk.wait_for_label(&answer);
        panel.desk.press(Modifiers::NONE, Key::Escape);

        // A query for it: nothing goes there before the question is answered, and nothing after a no.
        panel.desk.harness.state_mut().open(&root().join("samples/nuclear-receptor/query.yaml"));
        panel.desk.wait("the query", |harness| !harness.state().document().query.sequences.is_empty());
        panel.desk.rest();
        panel.choose("run-where", "bench");
        panel.press_key("command-predict");
        let title = panel.texts.get("agree-title");
        panel.desk.wait_for_label(&title);
        panel.press_key("agree-not");
        assert!(!panel.desk.harness.state().is_running());
        assert_eq!(jobs(&service), 0);

        // Automatic: the server has no K-Fold, so it is docking here, and why is said.
        let automatic = panel.texts.get("engine-automatic");
        panel.press_key("section-settings");
        panel.choose("settings-engine", &automatic);
        panel.press_key("command-predict");
        let way = panel.texts.with("way-docking-here", [("because", "@".into())]);
        let way = way.split('@').next().unwrap().trim_end().to_owned();
        panel.desk.wait("the way", |harness| harness.state().notice_texts().iter().any(|text| text.starts_with(&way)));
        let said = panel.desk.harness.state().notice_texts().join(" ");
        let server = panel.texts.with("reason-not-on-server", [("server", "bench".into())]);
        assert!(said.contains(&server), "{said}");
        // Whether or not there are weights on this machine, the reason is in the window's language.
        assert!(language == Language::English || !said.contains("there"), "{said}");
        assert!(panel.desk.harness.state().is_running());
        assert_eq!(jobs(&service), 0);
        panel.press_key("command-cancel");
        panel.desk.wait("the end", |harness| !harness.state().is_running());

        panel.open_servers();
        panel.press_of("servers-remove-of", "bench");
        panel.desk.wait("its end", |_| Servers::read(&file).is_ok_and(|servers| servers.entries().is_empty()));
        panel.desk.rest();
        let none = panel.texts.get("privacy-no-servers");
        assert!(panel.desk.harness.query_by_label(&none).is_some());
    }
}

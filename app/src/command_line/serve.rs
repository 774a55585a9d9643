//! `serve`: the HTTP service, and the tokens of its users.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use kfold_inference::engine::EngineName;
use kfold_inference::kfold::model_folder::{ModelFolder, Part, Variant};
use kfold_inference::remote::protocol::EngineOffer;
use kfold_server::configuration::Configuration;
use kfold_server::token::{Scope, Token};
use kfold_server::{Server, open_index, openapi};

use super::common::{ENGINES, count_interrupts};
use super::{Outcome, standard_output, terminal};

/// Serves predictions over HTTP (docs/server.md).
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Serve {
    #[command(subcommand)]
    command: Option<ServeCommand>,
    #[command(flatten)]
    place: Place,
    /// Address and port, over that of the configuration
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<std::net::SocketAddr>,
}

#[derive(Debug, Args)]
struct Place {
    /// The configuration (TOML); without it the defaults, for this machine alone
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of jobs, tokens and index, over that of the configuration [default: ./kfold-server]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum ServeCommand {
    /// Create, list and revoke tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Check the configuration and say what it means
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token for a user and print it; it is shown this once
    Create {
        #[command(flatten)]
        place: Place,
        /// Whose it is; jobs belong to users, not to tokens
        #[arg(long)]
        user: String,
        /// What it allows: read, submit, admin
        #[arg(long, value_delimiter = ',', default_values_t = [Scope::Read, Scope::Submit])]
        scope: Vec<Scope>,
        /// What it is for
        #[arg(long, default_value = "")]
        label: String,
        /// Days until it ends by itself
        #[arg(long, value_name = "DAYS")]
        expires: Option<f64>,
    },
    /// List tokens, without their secrets
    List {
        #[command(flatten)]
        place: Place,
        /// JSON on standard output
        #[arg(long)]
        json: bool,
    },
    /// End a token now
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Its id, as the list shows it
        id: String,
    },
}

impl Place {
    fn configuration(&self) -> anyhow::Result<Configuration> {
        let here = std::env::current_dir().context("cannot tell the current folder")?;
        let mut configuration = match &self.config {
            Some(path) => Configuration::read(path)?,
            None => {
                let mut configuration = Configuration::default();
                configuration.resolve(&here);
                configuration
            }
        };
        if let Some(data) = &self.data {
            configuration.data = here.join(data);
        }
        Ok(configuration)
    }
}

impl Serve {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            None => self.serve(),
            Some(ServeCommand::Token(command)) => command.run(),
            Some(ServeCommand::Check { place }) => {
                let configuration = place.configuration()?;
                standard_output::write(&format!("{configuration:#?}\n"))?;
                Ok(Outcome::Done)
            }
            Some(ServeCommand::Openapi) => {
                standard_output::json(&openapi())?;
                Ok(Outcome::Done)
            }
        }
    }

    fn serve(&self) -> anyhow::Result<Outcome> {
        let mut configuration = self.place.configuration()?;
        configuration.listen.address = self.listen.unwrap_or(configuration.listen.address);
        let interrupts = count_interrupts()?;
        let has_tls = configuration.listen.certificate.is_some();
        let (data, weights) = (configuration.data.clone(), configuration.models());
        let server = Server::start(configuration, engines(&weights))?;
        let scheme = if has_tls { "https" } else { "http" };
        terminal::say(&format!("serving {} at {scheme}://{}", data.display(), server.address()));
        while interrupts.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        // Workers go on; the next service finds them.
        server.stop();
        Ok(Outcome::Done)
    }
}

/// The engines of this program, as a server offers them: K-Fold where its weights are.
fn engines(weights: &Path) -> Vec<EngineOffer> {
    let has_weights = |variant: &Variant| ModelFolder::with_variant(weights, *variant).file(Part::KFold).is_some();
    let models: Vec<String> = [Variant::Full, Variant::Light]
        .iter()
        .filter(|variant| has_weights(variant))
        .map(|variant| variant.name().into())
        .collect();
    let offer = |name: EngineName| match name {
        EngineName::Docking => Some(EngineOffer { name: name.name().into(), models: Vec::new() }),
        EngineName::KFold => {
            (!models.is_empty()).then(|| EngineOffer { name: name.name().into(), models: models.clone() })
        }
    };
    ENGINES.iter().filter_map(|engine| offer(engine.name())).collect()
}

impl TokenCommand {
    fn run(&self) -> anyhow::Result<Outcome> {
        match self {
            Self::Create { place, user, scope, label, expires } => {
                let is_name = |text: &str| (1..=64).contains(&text.len()) && !text.contains(char::is_control);
                if !is_name(user) {
                    bail!("--user: 1 to 64 characters");
                }
                if expires.is_some_and(|days| !(0.0..=36_500.0).contains(&days)) {
                    bail!("--expires: days from now, at most 36500");
                }
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs_f64();
                let expires = expires.map(|days| now + 86_400.0 * days);
                let token = Token::generate().map_err(|error| anyhow::anyhow!("cannot make a token: {error}"))?;
                open_index(&place.configuration()?.data)?.add_token(&token, user, label, scope, expires)?;
                terminal::say(&format!("token {} of {user}; it is shown this once:", token.id));
                standard_output::line(&token.reveal())?;
            }
            Self::List { place, json } => {
                let tokens = open_index(&place.configuration()?.data)?.tokens()?;
                let scopes = |scopes: &[Scope]| scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(",");
                if *json {
                    let list: Vec<_> = tokens
                        .iter()
                        .map(|token| {
                            serde_json::json!({
                                "id": token.id, "user": token.user, "label": token.label, "scopes": scopes(&token.scopes),
                                "created": token.created, "expires": token.expires, "revoked": token.revoked,
                                "valid": token.is_valid(),
                            })
                        })
                        .collect();
                    standard_output::json(&list)?;
                    return Ok(Outcome::Done);
                }
                let mut lines = vec![["id", "user", "scopes", "valid", "label"].map(str::to_owned).to_vec()];
                for token in &tokens {
                    let valid = if token.is_valid() { "yes" } else { "no" };
                    let scopes = scopes(&token.scopes);
                    lines.push(vec![token.id.clone(), token.user.clone(), scopes, valid.into(), token.label.clone()]);
                }
                standard_output::write(&super::table::aligned(&lines))?;
            }
            Self::Revoke { place, id } => {
                if !open_index(&place.configuration()?.data)?.revoke_token(id)? {
                    bail!("there is no valid token {id}");
                }
                terminal::say(&format!("token {id} counts no more"));
            }
        }
        Ok(Outcome::Done)
    }
}

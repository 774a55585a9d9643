//! Which way `auto` goes.
//!
//! K-Fold here, if its weights are here and the device has the memory; else a configured server that answers and has it;
//! else docking, if the query has a structure and a ligand; else an error that names the three ways on. Whoever asks says
//! the choice before anything is sent, and the first time a server would be used, asks.

use super::RemoteError;
use super::client::Client;
use super::servers::{ServerEntry, Servers};
use crate::kfold::engine::Obstacle;
use crate::query::Query;

/// Why not K-Fold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// On this machine.
    #[error(transparent)]
    Here(#[from] Obstacle),
    /// There is no server to ask.
    #[error("no server is configured")]
    NoServer,
    /// A server has only other engines.
    #[error("the server {server} has no K-Fold")]
    NotOnServer {
        /// Its name.
        server: String,
    },
    /// A server does not answer as it should.
    #[error("{problem}")]
    Server {
        /// What is wrong.
        problem: String,
    },
}

fn joined(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A way to predict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// K-Fold on this machine.
    KFoldHere,
    /// K-Fold on a server.
    KFoldOn {
        /// The server.
        server: ServerEntry,
        /// Why not here.
        because: Reason,
    },
    /// Docking on this machine.
    DockingHere {
        /// Why not K-Fold, here and on each server.
        because: Vec<Reason>,
    },
}

impl Choice {
    /// The choice in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::KFoldHere => "K-Fold on this machine".into(),
            Self::KFoldOn { server, because } => {
                format!("K-Fold on the server {} ({}), because {because}", server.name, server.url)
            }
            Self::DockingHere { because } => format!("docking on this machine, because {}", joined(because)),
        }
    }
}

/// Chooses by the rule. `kfold_here` is why K-Fold cannot run here, if it cannot. Servers are asked, nothing is sent.
///
/// # Errors
/// [`RemoteError::Configuration`] when there is no way, with the three ways on.
pub fn choose(query: &Query, kfold_here: Option<Obstacle>, servers: &Servers) -> Result<Choice, RemoteError> {
    let has_kfold = |entry: &ServerEntry| {
        let offers = Client::new(entry).and_then(|client| client.capabilities());
        match offers {
            Ok(offers) if offers.engines.iter().any(|engine| engine.name == "kfold") => Ok(()),
            Ok(_) => Err(Reason::NotOnServer { server: entry.name.clone() }),
            Err(error) => Err(Reason::Server { problem: error.to_string() }),
        }
    };
    choose_among(query, kfold_here, servers.entries(), &has_kfold)
}

fn choose_among(
    query: &Query,
    kfold_here: Option<Obstacle>,
    servers: &[ServerEntry],
    has_kfold: &dyn Fn(&ServerEntry) -> Result<(), Reason>,
) -> Result<Choice, RemoteError> {
    let Some(obstacle) = kfold_here else { return Ok(Choice::KFoldHere) };
    let because = Reason::Here(obstacle);
    let mut reasons = vec![because.clone()];
    for server in servers {
        match has_kfold(server) {
            Ok(()) => return Ok(Choice::KFoldOn { server: server.clone(), because }),
            Err(reason) => reasons.push(reason),
        }
    }
    if servers.is_empty() {
        reasons.push(Reason::NoServer);
    }
    let has_ligand = query.ligands().next().is_some() || !query.series.is_empty();
    if query.receptor_file().is_some() && has_ligand {
        return Ok(Choice::DockingHere { because: reasons });
    }
    Err(RemoteError::Configuration(format!(
        "there is no way to predict this query: {}; and docking needs a known structure and a ligand. Put K-Fold's \
         weights here (kfold-studio models), or add a server that has them (kfold-studio remote add NAME URL), or give the \
         query a `structure` and a ligand",
        joined(&reasons)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Entity, Ligand, LigandSource};

    fn server(name: &str) -> ServerEntry {
        let url = format!("https://{name}");
        ServerEntry { name: name.into(), url, token: String::new(), certificate: None, agreed: false }
    }

    #[test]
    fn the_rule_of_the_design() {
        let dockable = Query {
            structure: Some("a.pdb".into()),
            sequences: vec![Entity::Ligand(Ligand {
                ids: vec!["L".into()],
                source: LigandSource::Smiles("C".into()),
                description: None,
            })],
            ..Query::default()
        };
        let no = || Some(Obstacle::LigandFile);
        let answers = |entry: &ServerEntry| match entry.name.as_str() {
            "b" => Ok(()),
            name => Err(Reason::Server { problem: format!("{name} sleeps") }),
        };
        let servers = [server("a"), server("b")];
        let choose = |query: &Query, here, servers: &[ServerEntry]| choose_among(query, here, servers, &answers);

        assert_eq!(choose(&dockable, None, &servers).unwrap(), Choice::KFoldHere);
        let there = choose(&dockable, no(), &servers).unwrap();
        assert!(matches!(&there, Choice::KFoldOn { server, .. } if server.name == "b"), "{there:?}");
        let docking = choose(&dockable, no(), &servers[..1]).unwrap();
        assert!(docking.sentence().contains("docking") && docking.sentence().contains("a sleeps"), "{docking:?}");
        let error = choose(&Query::default(), no(), &[]).unwrap_err().to_string();
        for way in ["models", "remote add", "structure"] {
            assert!(error.contains(way), "{error}");
        }
    }
}

//! `--fetch-apo`: unbound structures from public archives, for whoever asks.

use std::str::FromStr;
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::download::{Options, Progress};
use kfold_inference::folders;
use kfold_inference::kfold::apo_download::{ApoId, Sources, fetch};
use kfold_inference::query::{Entity, Query};

use super::common::count_interrupts;
use super::terminal::Status;

/// A chain of the query and the structure to fetch for it.
#[derive(Clone, Debug)]
struct Fetched {
    chain: String,
    id: ApoId,
}

impl FromStr for Fetched {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (chain, id) = text.split_once('=').ok_or("write it as CHAIN=ID, for example A=4AKE:B or A=P69441")?;
        Ok(Self { chain: chain.to_owned(), id: id.parse()? })
    }
}

/// Structures to fetch.
#[derive(Debug, Args)]
pub(super) struct FetchArguments {
    /// Fetch the unbound structure of a chain: an entry of the PDB (A=4AKE, A=4AKE:B for its chain B), or a model of the
    /// AlphaFold Database by its UniProt accession (A=P69441). Asks files.rcsb.org or alphafold.ebi.ac.uk; nothing is sent but
    /// the identifier
    #[arg(long, value_name = "CHAIN=ID", num_args = 1.., help_heading = "K-Fold")]
    fetch_apo: Vec<Fetched>,
    /// Open no connection; structures that were fetched before are there
    #[arg(long)]
    offline: bool,
}

impl FetchArguments {
    /// Fetches what is asked for and puts it into the query.
    pub(super) fn apply(&self, query: &mut Query) -> anyhow::Result<()> {
        if self.fetch_apo.is_empty() {
            return Ok(());
        }
        let interrupts = count_interrupts()?;
        let options = Options { offline: self.offline || Options::default().offline, ..Options::default() };
        let sources = Sources::of_environment();
        let mut status = Status::new();
        for Fetched { chain, id } in &self.fetch_apo {
            let entity =
                query.sequences.iter_mut().find(|entity| entity.chains().iter().any(|(name, _)| name == chain));
            let (sequences, apo) = match entity {
                Some(Entity::Protein(protein)) => (vec![protein.sequence.as_str()], &mut protein.apo),
                Some(Entity::ProteinPair(pair)) => {
                    (vec![pair.sequence1.as_str(), pair.sequence2.as_str()], &mut pair.apo)
                }
                Some(_) => bail!("--fetch-apo: chain {chain} is no protein; only proteins have unbound structures"),
                None => bail!("--fetch-apo: the query has no chain {chain}"),
            };
            let mut watch = |progress: Progress<'_>| {
                match progress {
                    Progress::Bytes { done, .. } => status.show("fetch", &format!("{id}: {} kB", done / 1_000)),
                    Progress::Trouble(reason) => status.say(&format!("{id}: {reason}; trying again")),
                }
                interrupts.load(Ordering::Relaxed) == 0
            };
            let path = fetch(id, &sequences, &folders::structures(), &sources, options, &mut watch)
                .with_context(|| format!("the unbound structure of chain {chain} could not be fetched"))?;
            status.say(&format!("chain {chain}: unbound structure {}", path.display()));
            apo.push(path);
        }
        status.clear();
        query.validate()?;
        Ok(())
    }
}

//! What the makers publish: which file of which repository is which part, how large, under which licence
//! (`assets/models.json`).
//!
//! Sizes are those of the makers' own pages where they give one (rounded, AtlasFold 1.0.4's README); no page seen so far gives a
//! checksum. So what is downloaded is held against the checksum that the server itself names, the file's own checksums, and the
//! list of its tensors; its SHA-256 is noted then and held against it from there on ([`super::record`]). No repository of the
//! light model is named in K-Fold 1.0.0: it can be imported only.

use serde::{Deserialize, Serialize};

use super::model_folder::{ModelFolder, Part, Variant};
use crate::download::{DownloadError, join_url};
use crate::kfold::{KFoldError, Result};

const MANIFEST: &str = include_str!("../../../assets/models.json");

/// Bytes of a parameter at most, and what a file has beside its numbers.
const WIDEST: u64 = 8;
const TABLE: u64 = 16 << 20;
/// Most bytes of a configuration.
const CONFIG: u64 = 1 << 20;

/// Why something cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A name that no model and no file has.
    #[error("there are no weights called {name}; there are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// Nobody has said where it is.
    #[error(
        "no repository of {title} is known to this version; where you have it, bring it with: kfold-studio models import \
         --light kfold.pth config.yaml"
    )]
    NoRepository {
        /// What it is.
        title: String,
    },
    /// A mirror's address cannot be used.
    #[error("the mirror {host}: {reason}")]
    Mirror {
        /// The address.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What the makers publish.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Where the repositories are.
    pub host: String,
    /// The version of all of them.
    pub revision: String,
    /// All files.
    pub files: Vec<PublishedFile>,
    /// What is downloaded together.
    pub models: Vec<PublishedModel>,
}

/// One file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedFile {
    /// What it is called on the command line.
    pub name: String,
    /// What it is.
    pub title: String,
    /// Its repository, where one is known.
    #[serde(default)]
    pub repository: Option<String>,
    /// Its path in the repository.
    pub path: String,
    /// Numbers in it.
    #[serde(default)]
    pub parameters: Option<u64>,
    /// Its size as its makers give it, rounded to 0.01 GiB.
    #[serde(default)]
    pub gib: Option<f64>,
    /// Its SHA-256, where it is published.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Its licence.
    pub licence: String,
    /// Whether it belongs to the light model alone.
    #[serde(default)]
    pub is_light: bool,
}

/// Files that are downloaded together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedModel {
    /// `full`, `light`, or what AtlasFold-M needs beyond them.
    pub name: String,
    /// Names of files.
    pub files: Vec<String>,
}

impl Manifest {
    /// The one of this version.
    ///
    /// # Errors
    /// None in a program whose tests pass.
    pub fn published() -> Result<Self> {
        serde_json::from_str(MANIFEST).map_err(|error| KFoldError::Config(format!("assets/models.json: {error}")))
    }

    /// The file of a name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&PublishedFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The files that names of models and files stand for, each once, in the order of the manifest.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn choose<S: AsRef<str>>(&self, names: &[S]) -> std::result::Result<Vec<&PublishedFile>, ManifestError> {
        let mut chosen = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            if let Some(model) = self.models.iter().find(|model| model.name == name) {
                chosen.extend(model.files.iter().map(String::as_str));
            } else if self.file(name).is_some() {
                chosen.push(name);
            } else {
                let models = self.models.iter().map(|model| model.name.as_str());
                let known: Vec<&str> = models.chain(self.files.iter().map(|file| file.name.as_str())).collect();
                return Err(ManifestError::Unknown { name: name.to_owned(), known: known.join(", ") });
            }
        }
        Ok(self.files.iter().filter(|file| chosen.contains(&file.name.as_str())).collect())
    }

    /// The addresses of a file: those of the mirrors, then the makers'. A mirror is laid out as the hub is.
    ///
    /// # Errors
    /// When a mirror is no address of a web server, or the file's repository is not known.
    pub fn sources(&self, file: &PublishedFile, mirrors: &[String]) -> std::result::Result<Vec<String>, ManifestError> {
        let repository =
            file.repository.as_deref().ok_or_else(|| ManifestError::NoRepository { title: file.title.clone() })?;
        let path = format!("{repository}/resolve/{}/{}", self.revision, file.path);
        let address = |host: &String| {
            let base = format!("{}/", host.trim_end_matches('/'));
            join_url(&base, &path).map_err(|reason| ManifestError::Mirror { host: host.clone(), reason })
        };
        mirrors.iter().chain([&self.host]).map(address).collect()
    }
}

impl PublishedFile {
    /// The part it holds; none of a configuration.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        let stem = self.file_name().strip_suffix(".pth")?;
        Part::ALL.into_iter().find(|part| part.file_stems().contains(&stem))
    }

    /// Its name without folders.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the model runs without it: as in the reference, by null in the configuration.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        let part = self.part();
        part.is_some_and(|part| {
            matches!(
                part,
                Part::RnaEncoder | Part::StructureEncoder | Part::BackboneTokenizer | Part::FullAtomTokenizer
            )
        })
    }

    /// The folder of models as the file's model sees it.
    #[must_use]
    pub fn folder(&self, models: &std::path::Path) -> ModelFolder {
        ModelFolder::with_variant(models, if self.is_light { Variant::Light } else { Variant::Full })
    }

    /// Its bytes, roughly: as its makers give them, else two bytes a number, which is the least that weights are stored in.
    #[must_use]
    pub fn about_bytes(&self) -> u64 {
        let given = self.gib.map(|gib| (gib * f64::from(1 << 30)) as u64);
        given.or(self.parameters.map(|parameters| 2 * parameters)).unwrap_or(CONFIG)
    }

    /// The largest size that is believed.
    #[must_use]
    pub fn largest_bytes(&self) -> u64 {
        self.parameters.map_or(CONFIG, |parameters| parameters * WIDEST + TABLE)
    }
}

impl From<DownloadError> for KFoldError {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::Cancelled => Self::Cancelled,
            other => Self::Download(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_published_once_and_every_name_is_known() {
        let manifest = Manifest::published().unwrap();
        for part in Part::ALL {
            let count = manifest.files.iter().filter(|file| !file.is_light && file.part() == Some(part)).count();
            assert_eq!(count, 1, "{part:?}");
        }
        for model in &manifest.models {
            assert_eq!(manifest.choose(&model.files).unwrap().len(), model.files.len(), "{}", model.name);
        }
        assert!(manifest.choose(&["kfold-7b"]).unwrap_err().to_string().contains("full, light"));
        // The facts' totals.
        let sum = |names: &[&str]| -> u64 {
            manifest.choose(names).unwrap().iter().filter_map(|file| file.parameters).sum::<u64>() - 214_647_863
        };
        assert_eq!((sum(&["full"]), sum(&["light"])), (7_061_198_106, 3_196_205_021));
    }

    #[test]
    fn addresses_follow_the_hubs_layout() {
        let manifest = Manifest::published().unwrap();
        let file = manifest.file("kfold").unwrap();
        let sources = manifest.sources(file, &["http://mirror.lab:8080/hub/".to_owned()]).unwrap();
        assert_eq!(
            sources,
            [
                "http://mirror.lab:8080/hub/kaist-ai-bio/kfold/resolve/main/weights/kfold.pth",
                "https://huggingface.co/kaist-ai-bio/kfold/resolve/main/weights/kfold.pth"
            ]
        );
        assert!(manifest.sources(file, &["/srv/models".to_owned()]).is_err());
        assert!(manifest.sources(manifest.file("light-kfold").unwrap(), &[]).is_err());
    }
}

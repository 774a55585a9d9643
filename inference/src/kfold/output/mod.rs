//! The files that K-Fold's results are written as: [`mmcif`] for complexes, [`npz`] for arrays. Which files there are and where,
//! the job says ([`crate::job`]).

pub mod mmcif;
pub mod npz;

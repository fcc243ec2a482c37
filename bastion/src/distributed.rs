//! What bastion 0.4 had for clusters is not there yet, and nothing here pretends: a program that uses [`Bastion::distributed`] does not compile, and is told why.
#![expect(clippy::result_unit_err, reason = "the signatures are those of bastion 0.4")]

use crate::Bastion;
use crate::children_ref::ChildrenRef;

/// The configuration of a cluster. There is none yet, so nothing implements this.
#[diagnostic::on_unimplemented(
    message = "bastion has no cluster layer yet: `Bastion::distributed` cannot be used",
    note = "the feature `distributed` only reserves the name; run the nodes of a cluster as programs that talk over sockets (`bastion::io`)"
)]
pub trait Cluster {}

/// The configuration of a cluster in bastion 0.4. Here it is a name, so that a program that has it is told what is missing.
#[derive(Clone, Copy, Debug)]
pub enum ArtilleryAPClusterConfig {}

/// What a child of a cluster was given in bastion 0.4. There is none here.
#[derive(Clone, Copy, Debug)]
pub enum DistributedContext {}

/// What a child of a cluster received in bastion 0.4. There is none here.
#[derive(Clone, Copy, Debug)]
pub enum ClusterMessage {}

impl Bastion {
    /// Would join a cluster.
    ///
    /// # Errors
    /// It cannot be called.
    ///
    /// # Examples
    /// ```compile_fail
    /// use bastion::prelude::*;
    /// struct Config;
    /// Bastion::distributed(&Config, |_| async { Ok(()) });
    /// ```
    pub fn distributed<C: Cluster, I>(_config: &'static C, _action: I) -> Result<ChildrenRef, ()> {
        Err(())
    }
}

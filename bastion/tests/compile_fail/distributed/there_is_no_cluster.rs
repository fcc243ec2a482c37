use bastion::prelude::*;
use std::sync::Arc;

fn join(config: &'static ArtilleryAPClusterConfig) -> Result<ChildrenRef, ()> {
    Bastion::distributed(config, |_context: Arc<DistributedContext>| async { Ok(()) })
}

fn main() {}

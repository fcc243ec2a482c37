struct Counter;

#[bastion::actor]
impl Counter {}

fn main() {}

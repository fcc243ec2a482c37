#[bastion::main]
fn main() {}

#[bastion::main]
async fn start() {}

fn main() {}

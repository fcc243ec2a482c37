#[bastion::main]
async fn main(argument: u32) {}

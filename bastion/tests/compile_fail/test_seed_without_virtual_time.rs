#[bastion::test(seed = 1)]
async fn a_test() {}

fn main() {}

#[bastion::test(slowly)]
async fn a_test() {}

fn main() {}

struct Counter;

#[bastion::actor(pub)]
impl Counter {
    fn add(&mut self) {}
}

fn main() {}

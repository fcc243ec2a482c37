struct Counter;

#[bastion::actor]
impl &Counter {
    fn add(&mut self) {}
}

fn main() {}

struct Counter;

#[bastion::actor]
impl Counter {
    fn add_all(&mut self) {}

    fn add__all(&mut self) {}

    pub fn total(&mut self) -> u64 {
        0
    }

    fn exit(&mut self) {}

    fn clone(&mut self) {}

    fn run(&mut self) {}

    fn self_(&mut self) {}

    fn _1(&mut self) {}
}

fn main() {}

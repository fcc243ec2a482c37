use std::rc::Rc;

struct Counter {
    total: Rc<u64>,
}

#[bastion::actor]
impl Counter {
    fn add(&mut self) {}
}

fn main() {}

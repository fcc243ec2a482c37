use std::rc::Rc;

struct Counter;

#[bastion::actor]
impl Counter {
    fn add(&mut self, _n: Rc<u64>) {}

    fn total(&mut self) -> Rc<u64> {
        Rc::new(0)
    }
}

fn main() {}

struct Counter;

#[bastion::actor]
impl Counter {
    fn clone(&mut self, _: u64) {}

    fn clone_into(&mut self, _: u64) {}

    fn eq(&mut self, _: u64) {}

    fn into(&mut self, _: u64) {}

    fn ne(&mut self, _: u64) {}

    fn to_owned(&mut self, _: u64) {}

    fn try_into(&mut self, _: u64) {}
}

fn main() {}

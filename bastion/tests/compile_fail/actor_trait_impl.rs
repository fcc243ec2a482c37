struct Counter;

#[bastion::actor]
impl Default for Counter {
    fn default() -> Self {
        Counter
    }
}

fn main() {}

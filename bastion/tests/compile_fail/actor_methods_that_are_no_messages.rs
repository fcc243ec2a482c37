struct Counter;

#[bastion::actor]
impl Counter {
    const LIMIT: u64 = 7;

    fn new() -> Self {
        Counter
    }

    fn close(self) {}

    fn boxed(self: Box<Self>) {}

    fn any<T>(&mut self, _value: T) {}

    fn copied(&mut self)
    where
        Self: Sized,
    {
    }
}

fn main() {}

struct Counter<'a>(&'a str);

#[bastion::actor]
impl<'a> Counter<'a> {
    fn add(&mut self) {}
}

fn main() {}

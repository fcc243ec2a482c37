use bastion::Reply;

struct Counter;

#[bastion::actor]
impl Counter {
    fn text(&mut self, _text: &str) {}

    fn list(&mut self, _list: &mut [u8]) {}

    fn dynamic(&mut self, _error: &dyn std::error::Error) {}

    fn number(&mut self, _number: (u8, &u64)) {}

    fn inside(&mut self, _text: Option<Vec<&str>>) {}

    fn anonymous(&mut self, _text: impl Into<String>) {}

    fn with_attribute(&mut self, #[allow(unused)] _n: u64) {}

    fn lent(&self) -> Option<&str> {
        None
    }

    fn made(&self) -> impl Iterator<Item = u8> {
        [].into_iter()
    }

    fn twice(&self, _reply: Reply<u8>) -> u8 {
        1
    }
}

fn main() {}

use bastion::typed::Exit;

type Result<T> = std::result::Result<T, Exit>;

struct Counter;

#[bastion::actor]
impl Counter {
    fn total(&mut self) -> Result<u64> {
        Err(Exit::error("no total"))
    }

    fn take(&mut self) -> crate::Result<()> {
        Ok(())
    }

    fn read(&mut self) -> std::io::Result<u64> {
        Ok(0)
    }
}

fn main() {}

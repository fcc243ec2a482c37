mod argument {
    #[bastion::root]
    async fn main(_: u32) -> Result<(), ()> {
        Ok(())
    }
}

mod result {
    use bastion::prelude::*;
    #[bastion::root]
    async fn main(_: BastionContext) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}

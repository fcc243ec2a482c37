#![allow(unused)]

mod not_async {
    use bastion::prelude::*;
    #[bastion::root]
    fn main(_: BastionContext) -> Result<(), ()> {
        Ok(())
    }
}

mod elsewhere {
    use bastion::prelude::*;
    #[bastion::root]
    async fn start(_: BastionContext) -> Result<(), ()> {
        Ok(())
    }
}

mod without_an_argument {
    #[bastion::root]
    async fn main() -> Result<(), ()> {
        Ok(())
    }
}

mod two_arguments {
    use bastion::prelude::*;
    #[bastion::root]
    async fn main(_: BastionContext, more: u32) -> Result<(), ()> {
        Ok(())
    }
}

mod without_a_result {
    use bastion::prelude::*;
    #[bastion::root]
    async fn main(_: BastionContext) {}
}

mod unknown_setting {
    use bastion::prelude::*;
    #[bastion::root(retry = 3)]
    async fn main(_: BastionContext) -> Result<(), ()> {
        Ok(())
    }
}

mod not_a_number {
    use bastion::prelude::*;
    #[bastion::root(redundancy = "three")]
    async fn main(_: BastionContext) -> Result<(), ()> {
        Ok(())
    }
}

mod twice {
    use bastion::prelude::*;
    #[bastion::root(redundancy = 3, redundancy = 4)]
    async fn main(_: BastionContext) -> Result<(), ()> {
        Ok(())
    }
}

fn main() {}

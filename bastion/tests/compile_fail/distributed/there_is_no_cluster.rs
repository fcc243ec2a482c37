use bastion::prelude::*;

struct Config;

fn main() {
    Bastion::distributed(&Config, |_| async { Ok(()) }).unwrap();
}

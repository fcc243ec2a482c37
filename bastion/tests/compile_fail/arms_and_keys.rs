#![allow(unused)]
use bastion::prelude::*;

fn no_default_arm(message: SignedMessage) {
    msg! { message,
        text: String => println!("{text}");
        number: u32 =!> {
            answer!(1, number);
        };
    }
}

fn no_arm(message: SignedMessage) {
    msg! { message, }
}

fn a_default_arm_in_between(message: SignedMessage) {
    msg! { message,
        _: _ => ();
        text: String => println!("{text}");
    }
}

fn another_default_arm_in_between(message: SignedMessage) {
    msg! { message,
        text: String => println!("{text}");
        unknown: _ => println!("{unknown:?}");
        _: _ => ();
    }
}

fn an_arm_without_a_type(message: SignedMessage) {
    msg! { message,
        text: String => println!("{text}");
        other => println!("{other}");
        _: _ => ();
    }
}

fn an_arm_without_its_end(message: SignedMessage) {
    msg! { message,
        text: String => println!("{text}")
        _: _ => ();
    }
}

fn unknown_key() {
    children! {
        redundancy: 2,
        restart: true,
        action: |_| (),
    };
    supervisor! {
        restart: true,
    };
}

fn main() {}

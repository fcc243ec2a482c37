#![allow(unused)]
use bastion::legacy::prelude::*;

fn no_default_arm(message: Box<dyn Message>) {
    receive! { message,
        String => |text| println!("{text}"),
        i32 => |number| println!("{number}")
    }
}

fn no_default_arm_after_a_comma(message: Box<dyn Message>) {
    receive! { message,
        String => |text| println!("{text}"),
    }
}

fn a_default_arm_in_between(message: Box<dyn Message>) {
    receive! { message,
        _ => (),
        String => |text| println!("{text}"),
    }
}

fn an_arm_without_a_type(message: Box<dyn Message>) {
    receive! { message,
        String => |text| println!("{text}"),
        |text| println!("{text}"),
        _ => ()
    }
}

fn a_type_that_is_no_message(message: Box<dyn Message>) {
    struct Lone;
    receive! { message,
        Lone => |_| (),
        _ => ()
    }
}

fn main() {}

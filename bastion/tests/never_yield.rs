//! Children that never yield do not keep the program from ending. It is run again as a program of its own, which returns from `main` beside them.

use bastion::prelude::*;
use std::process::Command;
use std::sync::mpsc;

const WITHIN: &str = "BASTION_NEVER_YIELD";

#[test]
fn section_2_1_a_program_ends_beside_32_000_children_that_never_yield() {
    if std::env::var_os(WITHIN).is_none() {
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).env(WITHIN, "1").output().unwrap();
        return assert!(output.status.success(), "{output:?}");
    }
    let (runs, begun) = mpsc::channel();
    Bastion::init();
    Bastion::start();
    Bastion::children(|children| {
        children.with_redundancy(32_000).with_exec(move |_| {
            let _ = runs.send(());
            async {
                loop {
                    std::hint::spin_loop();
                }
            }
        })
    })
    .unwrap();
    begun.recv().unwrap();
}

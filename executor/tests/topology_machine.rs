//! The machine that the tests run on: discovery, agreement of the sources, binding.

use std::time::{Duration, Instant};

use bastion_executor::affinity;
use bastion_executor::topology::{Source, Topology};

#[test]
fn discovery_finds_the_pus_that_may_be_used() {
    let topology = Topology::discover();
    println!("{topology}");
    assert!(topology.parallelism().is_some());
    if let Some(allowed) = affinity::allowed() {
        assert!(topology.is_this_machine());
        assert!(topology.pus().iter().all(|pu| allowed.contains(&pu.os)));
    }
    for pu in topology.pus() {
        assert!(topology.cores()[pu.core].contains(pu.os));
        assert!(topology.l2s()[pu.l2].contains(pu.os));
        assert!(topology.llcs()[pu.llc].contains(pu.os));
        assert!(topology.packages()[pu.package].contains(pu.os));
        assert!(pu.node.is_none_or(|node| topology.nodes()[node].cpus.contains(pu.os)));
    }
}

/// It takes one or two milliseconds on a small machine; the bound is for busy ones.
#[test]
fn discovery_is_quick() {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let begin = Instant::now();
            drop(Topology::discover());
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("discovery took {:?}, at best {:?}", times[4], times[0]);
    assert!(times[4] < Duration::from_millis(50), "{times:?}");
}

#[test]
fn the_source_is_the_one_that_was_built_in() {
    let expected = match (cfg!(hwloc_found), cfg!(target_os = "linux")) {
        (true, _) => Source::Hwloc,
        (false, true) => Source::Sysfs,
        (false, false) => Source::Flat,
    };
    assert_eq!(Topology::discover().source(), expected);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::thread;

    use bastion_executor::affinity::{self, BindError};
    use bastion_executor::topology::{CpuSet, Source, Topology};

    /// Runs on a thread of its own, whose mask may be changed.
    fn on_a_thread<T: Send>(body: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| scope.spawn(body).join().expect("the test body passes"))
    }

    #[test]
    fn hwloc_and_sysfs_agree() {
        let sysfs = Topology::from_sysfs(Path::new("/sys")).expect("sysfs describes this machine");
        let found = Topology::discover();
        assert!(sysfs.is_this_machine());
        assert_eq!(sysfs.source(), Source::Sysfs);
        assert_eq!(found.allowed(), sysfs.allowed());
        assert_eq!(found.nodes(), sysfs.nodes());
        assert_eq!(found.distance(), sysfs.distance());
        // In some sandboxes sysfs has no such files, and hwloc asks the processor instead.
        let speaks = |file| Path::new("/sys/devices/system/cpu/cpu0").join(file).exists();
        if speaks("topology") {
            assert_eq!(found.packages(), sysfs.packages());
            assert_eq!(found.cores(), sysfs.cores());
        }
        if speaks("topology") && speaks("cache/index0/shared_cpu_list") {
            assert_eq!(found.l2s(), sysfs.l2s());
            assert_eq!(found.llcs(), sysfs.llcs());
            assert_eq!(found.pus(), sysfs.pus());
        }
    }

    #[test]
    fn a_bound_thread_discovers_only_its_own_pus() {
        let last = affinity::allowed().and_then(|allowed| allowed.last().copied()).unwrap();
        let topology = on_a_thread(|| {
            affinity::bind_current(&[last]).unwrap();
            let topology = Topology::discover();
            assert_eq!(affinity::allowed(), Some(vec![last]), "discovery leaves the mask alone");
            topology
        });
        assert_eq!(topology.allowed().as_slice(), [last]);
        assert_eq!(topology.pus()[0].smt_rank, 0);
    }

    #[test]
    fn binding_is_verified_and_concerns_one_thread() {
        let before = affinity::allowed().unwrap();
        on_a_thread(|| {
            for pu in &before {
                affinity::bind_current(&[*pu]).unwrap();
                assert_eq!(affinity::allowed(), Some(vec![*pu]));
            }
            let reversed: Vec<u32> = before.iter().rev().copied().collect();
            affinity::bind_current(&reversed).unwrap();
            assert_eq!(affinity::allowed().as_ref(), Some(&before));
        });
        assert_eq!(affinity::allowed(), Some(before));
    }

    #[test]
    fn a_failed_binding_is_reported_and_changes_nothing() {
        let before = affinity::allowed().unwrap();
        // No machine that runs this test has this PU: the kernel takes the rest without a word.
        let absent = 8191;
        let partly = [before[0], absent];
        on_a_thread(|| {
            assert_eq!(affinity::bind_current(&[]), Err(BindError::Empty));
            assert_eq!(affinity::bind_current(&[70_000]), Err(BindError::NoSuchPu { pu: 70_000 }));
            match affinity::bind_current(&[absent]) {
                Err(BindError::Refused { cpus, .. }) => assert_eq!(cpus.as_slice(), [absent]),
                other => panic!("{other:?}"),
            }
            assert_eq!(
                affinity::bind_current(&partly),
                Err(BindError::Mismatch {
                    asked: CpuSet::from(&partly[..]),
                    taken: CpuSet::from(&before[..1]),
                })
            );
            assert_eq!(affinity::allowed().as_ref(), Some(&before));
        });
    }
}

#[cfg(not(target_os = "linux"))]
#[test]
fn binding_is_unsupported_elsewhere() {
    assert_eq!(affinity::allowed(), None);
    assert_eq!(affinity::bind_current(&[0]), Err(affinity::BindError::Unsupported));
}

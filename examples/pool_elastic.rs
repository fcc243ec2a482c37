//! A pool that grows under load and shrinks after it.
//!
//! Pictures are to be made smaller, each takes a tenth of a second, and for a while far more come than one worker can do. The workers have one
//! queue, so no picture waits behind a large one. What has waited too long is not worth doing any more: it is thrown away, and told. Half a
//! minute passes in no time, because the system is in a simulation.

#![forbid(unsafe_code)]

use bastion::plan::Backoff;
use bastion::{Context, Elastic, Exit, Pool, PoolAddress, Reply, Route, Runtime, Sim, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

const TENTH: Duration = Duration::from_millis(100);
/// Nobody looks at a picture that comes later.
const TOO_LATE: Duration = Duration::from_secs(3);

enum Job {
    Shrink,
    /// A picture that is broken: the worker crashes over it.
    Broken,
    /// Somebody waits for this one.
    Preview(Reply<&'static str>),
}

async fn shrink(mut cx: Context<Job>, done: Arc<AtomicU32>) -> Result<(), Exit> {
    while let Some(job) = cx.recv().await {
        cx.sleep(TENTH).await;
        match job {
            Job::Shrink => done.fetch_add(1, SeqCst),
            Job::Broken => return Err(Exit::error("not a picture")),
            Job::Preview(reply) => {
                reply.send("a preview");
                0
            }
        };
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Sim::new(1);
    sim.run(run(&sim))
}

async fn run(sim: &Sim) -> Result<(), Box<dyn std::error::Error>> {
    let (done, late) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (finished, thrown_away) = (done.clone(), late.clone());
    let (supervisor, pictures) = Pool::new("pictures", move |cx| shrink(cx, finished.clone()))
        .size(1..=12)
        .route(Route::shared_queue())
        .elastic(Elastic::new().every(TENTH).grow_above(2.0).calm(Duration::from_secs(2)))
        .worker(|worker| worker.backoff(Backoff::storm_guard()))
        .time_to_live(TOO_LATE)
        .on_discard(move |_job, _why| {
            thrown_away.fetch_add(1, SeqCst);
        })
        .build();
    let system = System::new(Runtime::sim(sim));
    system.supervise(supervisor.unlimited()).await?;

    println!("second  workers       waiting");
    let (mut sent, mut largest) = (0, 0);
    for tenth in 0..300_u32 {
        let load = match tenth {
            20..60 => 30, // Three hundred a second: more than twice what all of them can do.
            60..160 => 4,
            _ => 0,
        };
        for _ in 0..load {
            sent += 1;
            pictures.tell(Job::Shrink)?;
        }
        if tenth == 120 {
            pictures.tell(Job::Broken)?;
        }
        largest = largest.max(pictures.size());
        if tenth % 10 == 0 {
            draw(tenth / 10, &pictures);
        }
        sim.sleep(TENTH).await;
    }
    assert_eq!(pictures.ask(Job::Preview).await?, "a preview");

    let (done, late) = (done.load(SeqCst), late.load(SeqCst));
    println!("{sent} sent, {done} done, {late} too late; {largest} workers at most");
    assert!(late > 0);
    assert_eq!(done + late, sent, "nothing is lost, also not by the crash");
    assert!((8..=12).contains(&largest), "it has grown");
    assert_eq!(pictures.size(), 1, "and shrunk");
    let stopped = system.stop(Duration::from_secs(5)).await;
    assert!(stopped.forced.is_empty());
    assert_eq!(system.stats().crashes, 1);
    Ok(())
}

fn draw(second: u32, pictures: &PoolAddress<Job>) {
    println!("{second:>6}  {:<12}  {}", "#".repeat(pictures.size()), pictures.queued());
}

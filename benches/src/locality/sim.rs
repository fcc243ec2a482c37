//! The simulation: workers poll what is due, event by event. What they do when nothing is due is in `search` and `sleep`.

use super::caches::{Caches, Data};
use super::calendar::{Calendar, Event};
use super::costs::Costs;
use super::idle::Idle;
use super::process::Process;
use super::rules::Rules;
use super::seats::{Seat, Seats};
use super::tally::Tally;
use super::worker::{Displaced, Popped, Run, State, Worker};
use super::workloads::{Arrival, Birth, Then, Workload};
use std::collections::VecDeque;

/// A queue for what comes from outside.
#[derive(Clone, Debug)]
pub(super) struct Injector {
    pub(super) queue: VecDeque<usize>,
    /// Who changed it last.
    pub(super) last: Seat,
}

/// One run of a workload on a machine.
pub(super) struct Sim<'a> {
    pub(super) seats: &'a Seats,
    pub(super) rules: &'a Rules,
    pub(super) costs: &'a Costs,
    workload: Box<dyn Workload>,
    arrivals: Vec<Arrival>,
    pub(super) calendar: Calendar,
    pub(super) workers: Vec<Worker>,
    /// By domain, as the injectors.
    pub(super) idle: Vec<Idle>,
    pub(super) injectors: Vec<Injector>,
    /// How many threads of each core are busy.
    pub(super) busy: Vec<usize>,
    pub(super) processes: Vec<Process>,
    caches: Caches,
    pub(super) random: fastrand::Rng,
    /// How many workers poll, and how many processes wait where others may take them.
    polling: usize,
    pub(super) waiting: usize,
    pub(super) tally: Tally,
}

impl<'a> Sim<'a> {
    /// All workers sleep, and nothing has come yet.
    pub(super) fn new(
        seats: &'a Seats,
        rules: &'a Rules,
        costs: &'a Costs,
        workload: Box<dyn Workload>,
        seed: u64,
    ) -> Sim<'a> {
        let arrivals = workload.arrivals();
        let mut calendar = Calendar::default();
        for (index, arrival) in arrivals.iter().enumerate() {
            calendar.note(arrival.at_ns, Event::Arrival(index));
        }
        let idle = |members: &Vec<usize>| Idle { sleepers: members.clone(), ..Idle::default() };
        let injector = |members: &Vec<usize>| {
            let last = members.first().map_or_else(|| seats.outside(0), |one| seats.workers[*one]);
            Injector { queue: VecDeque::new(), last }
        };
        Sim {
            seats,
            rules,
            costs,
            arrivals,
            calendar,
            workers: vec![Worker::new(costs); seats.workers.len()],
            idle: seats.members.iter().map(idle).collect(),
            injectors: seats.members.iter().map(injector).collect(),
            busy: vec![0; seats.on_core.len()],
            processes: vec![Process::UNBORN; workload.processes()],
            workload,
            caches: Caches::new(seats),
            random: fastrand::Rng::with_seed(seed),
            polling: 0,
            waiting: 0,
            tally: Tally::new(seats.workers.len()),
        }
    }

    /// Lets everything happen.
    pub(super) fn run(mut self) -> Tally {
        while self.step() {}
        assert_eq!(self.workload.left(), 0, "nothing is lost");
        self.tally
    }

    /// Lets the next thing happen. False: nothing will ever happen again.
    pub(super) fn step(&mut self) -> bool {
        let Some(event) = self.calendar.next() else { return false };
        let idle = self.workers.len() - self.polling;
        self.tally.advance(self.calendar.now, idle, self.waiting);
        match event {
            Event::Arrival(index) => self.arrive(self.arrivals[index]),
            Event::Polled { worker, turn } if self.workers[worker].turn == turn => {
                self.polled(worker);
            }
            Event::Polled { .. } => {}
            Event::Looked(worker) => self.looked(worker),
            Event::Awake(worker) => self.awake(worker),
        }
        true
    }

    fn arrive(&mut self, arrival: Arrival) {
        let here = self.seats.outside(arrival.node);
        self.workload.arrived(arrival.process);
        let process = &mut self.processes[arrival.process];
        if process.is_unborn() {
            process.data = Some(Data::on(here.node));
        }
        if process.wake(self.calendar.now, here) {
            self.tally.dues += 1;
            self.waiting += 1;
            let injector = &mut self.injectors[here.domain];
            injector.queue.push_back(arrival.process);
            injector.last = here;
            self.notify(here.domain, &here, None);
        }
    }

    /// Polls the next process of a worker, or has it search.
    pub(super) fn next(&mut self, worker: usize) {
        if std::mem::take(&mut self.workers[worker].injected_first)
            && let Some(process) = self.take_injected(worker)
        {
            return self.begin(worker, process);
        }
        // What the slot had goes into the queue when the queue has its turn.
        let moved = self.workers[worker].slot.is_some();
        match self.workers[worker].pop() {
            Popped::Slot(process) => self.begin(worker, process),
            Popped::Queue(process) => {
                if moved {
                    self.notify_of_queue(worker);
                } else {
                    self.waiting -= 1;
                }
                self.begin(worker, process);
            }
            Popped::Nothing => self.seek(worker),
        }
    }

    /// Begins a poll of a process that was found; whoever searched does not any more.
    pub(super) fn begin(&mut self, worker: usize, process: usize) {
        self.leave_search(worker);
        let here = self.seats.workers[worker];
        let header = self.processes[process].header;
        let line_ns = header.map_or(0, |last| self.seats.line_ns(&here, &last, self.costs));
        self.tally.polls += 1;
        let waited = self.processes[process].begin(self.calendar.now, here);
        self.tally.waited(waited);
        self.polling += 1;
        self.workers[worker].pace.begin(self.calendar.now);
        self.workers[worker].debt_ns += self.costs.poll_ns + self.costs.header_lines * line_ns;
        self.poll(worker, process);
    }

    /// Does a poll, or the next part of one.
    fn poll(&mut self, worker: usize, process: usize) {
        let here = self.seats.workers[worker];
        let poll = self.workload.poll(process);
        let data = self.processes[process].data.get_or_insert(Data::on(here.node));
        let fetched = self.caches.touch(data, poll.lines, &here, self.seats, self.costs);
        let calls = self.costs.spawn_ns * poll.spawned.len() as u64
            + self.costs.wake_ns * poll.woken.len() as u64;
        let debt = std::mem::take(&mut self.workers[worker].debt_ns);
        self.tally.work_ns += poll.work_ns;
        self.tally.data_ns += fetched.ns;
        self.tally.lines += poll.lines;
        self.tally.far_lines += fetched.far_lines;
        let takes = (debt + poll.work_ns + fetched.ns + calls).max(1);
        let run = Run::new(process, poll, takes, self.calendar.now);
        self.workers[worker].state = State::Polling(run);
        self.time(worker);
    }

    /// Notes down when the worker's poll will be done, as things are now.
    fn time(&mut self, worker: usize) {
        let busy = self.busy[self.seats.workers[worker].core];
        let one = &mut self.workers[worker];
        if let State::Polling(run) = &mut one.state {
            one.turn += 1;
            let after = run.go_on(busy, self.calendar.now, self.costs);
            self.calendar.note(after, Event::Polled { worker, turn: one.turn });
        }
    }

    /// Has a thread of a core begin or end being busy, which slows the others down or speeds them up.
    pub(super) fn occupy(&mut self, worker: usize, busy: bool) {
        let (seats, core) = (self.seats, self.seats.workers[worker].core);
        if busy {
            self.busy[core] += 1;
        } else {
            self.busy[core] -= 1;
        }
        for sibling in seats.on_core[core].iter().filter(|sibling| **sibling != worker) {
            self.time(*sibling);
        }
    }

    fn polled(&mut self, worker: usize) {
        let now = self.calendar.now;
        let state = std::mem::replace(&mut self.workers[worker].state, State::Waking);
        let State::Polling(run) = state else { return };
        self.tally.polling_ns += now - run.began_ns;
        self.tally.makespan_ns = now;
        let here = self.seats.workers[worker];
        let data = self.processes[run.process].data;
        for (process, birth) in run.poll.spawned {
            self.processes[process].data = if birth == Birth::Shared { data } else { None };
            self.wake(worker, process, here, true);
        }
        for process in run.poll.woken {
            let header = self.processes[process].header;
            let line_ns = header.map_or(0, |last| self.seats.line_ns(&here, &last, self.costs));
            self.workers[worker].debt_ns += line_ns;
            self.wake(worker, process, here, false);
        }
        let process = &mut self.processes[run.process];
        let is_due = match run.poll.then {
            Then::GoOn => return self.poll(worker, run.process),
            Then::Yield => {
                process.stay_due(now);
                true
            }
            Then::Wait => process.rest(now),
            Then::End => {
                process.end();
                false
            }
        };
        self.polling -= 1;
        if is_due {
            self.tally.dues += 1;
            self.push_back(worker, run.process);
        }
        if self.workers[worker].pace.polled(now, self.costs) {
            let one = &mut self.workers[worker];
            one.pace.look(now, self.costs);
            one.injected_first = true;
            self.notify_of_queue(worker);
        }
        self.next(worker);
    }

    /// Wakes or spawns a process on a worker.
    fn wake(&mut self, worker: usize, process: usize, here: Seat, fresh: bool) {
        if !self.processes[process].wake(self.calendar.now, here) {
            return;
        }
        self.tally.dues += 1;
        let displaced = self.workers[worker].put(process, fresh);
        if let Some(Displaced { process, fresh }) = displaced {
            self.workers[worker].queue.push_back(process);
            self.waiting += 1;
            if fresh {
                self.notify_from(worker);
            } else {
                self.notify_of_queue(worker);
            }
        }
    }

    /// Queues a process behind all others.
    fn push_back(&mut self, worker: usize, process: usize) {
        let one = &mut self.workers[worker];
        let others = one.slot.is_some() || !one.queue.is_empty();
        one.queue.push_back(process);
        self.waiting += 1;
        if others {
            self.notify_of_queue(worker);
        }
    }

    fn notify_of_queue(&mut self, worker: usize) {
        if self.workers[worker].has_work() {
            self.notify_from(worker);
        }
    }
}

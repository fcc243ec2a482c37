//! Where the data of processes are, and what it takes to have them somewhere else.
//!
//! A cache is reduced to a count of the lines that were brought into it: data that were touched there less than its size ago are
//! still in it, because what is older has left first. Only who touched data last has them; older copies do not count.

use super::costs::Costs;
use super::seats::{Seat, Seats};

/// The data of one process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data {
    /// The node whose memory holds them: that of the first touch.
    home: usize,
    /// Who touched them last, and when, as the caches there count.
    last: Option<Touch>,
}

#[derive(Clone, Copy, Debug)]
struct Touch {
    seat: Seat,
    core_count: u64,
    llc_count: u64,
}

impl Data {
    /// Data in the memory of a node that no core has in its caches.
    pub(super) fn on(node: usize) -> Data {
        Data { home: node, last: None }
    }
}

/// What touching data came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) ns: u64,
    /// The lines that came from another node.
    pub(super) far_lines: u64,
}

/// The caches of the machine.
#[derive(Debug)]
pub(super) struct Caches {
    core: Vec<u64>,
    llc: Vec<u64>,
}

impl Caches {
    pub(super) fn new(seats: &Seats) -> Caches {
        Caches { core: vec![0; seats.on_core.len()], llc: vec![0; seats.llcs] }
    }

    /// Touches all lines of the data on a worker's core: they are in its caches afterwards.
    pub(super) fn touch(
        &mut self,
        data: &mut Data,
        lines: u64,
        here: &Seat,
        seats: &Seats,
        costs: &Costs,
    ) -> Fetched {
        let (line_ns, from) = self.source(data, here, seats, costs);
        let (core, llc) = (&mut self.core[here.core], &mut self.llc[here.llc]);
        if line_ns > 0 {
            *core += lines;
        }
        if line_ns > costs.line_llc_ns {
            *llc += lines;
        }
        data.last = Some(Touch { seat: *here, core_count: *core, llc_count: *llc });
        let far_lines = if from == here.node { 0 } else { lines };
        Fetched { ns: lines * line_ns / costs.overlap, far_lines }
    }

    /// Says what a line of the data costs here, and on which node it is found.
    fn source(&self, data: &Data, here: &Seat, seats: &Seats, costs: &Costs) -> (u64, usize) {
        let memory = (seats.memory_ns(here.node, data.home, costs), data.home);
        let Some(last) = data.last else { return memory };
        let kept = |count: u64, since: u64, size: u64| count - since <= size;
        let core = self.core[last.seat.core];
        let llc = self.llc[last.seat.llc];
        let in_core = kept(core, last.core_count, costs.l2_lines);
        let in_llc = kept(llc, last.llc_count, costs.llc_lines);
        if in_core && last.seat.l2 == here.l2 {
            (seats.line_ns(here, &last.seat, costs), here.node)
        } else if in_llc && last.seat.llc == here.llc {
            (costs.line_llc_ns, here.node)
        } else if in_llc {
            (seats.line_ns(here, &last.seat, costs), last.seat.node)
        } else {
            memory
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::BASTION;
    use super::*;
    use bastion_executor::Topology;
    use bastion_executor::placement::{Placement, Request};

    #[test]
    fn data_are_where_they_were_touched_until_others_push_them_out() {
        let topology: Topology = "node:2 l3:1 core:2 distance:10,30/30,10".parse().unwrap();
        let plan = Request::new().policy(Placement::Compact).plan(&topology).unwrap();
        let seats = Seats::new(&topology, &plan, &BASTION);
        let costs = Costs { overlap: 1, l2_lines: 10, llc_lines: 20, ..Costs::default() };
        let mut caches = Caches::new(&seats);
        let mut data = Data::on(0);
        let mut touch = |data: &mut Data, lines, worker: usize| {
            let fetched = caches.touch(data, lines, &seats.workers[worker], &seats, &costs);
            (fetched.ns, fetched.far_lines)
        };
        assert_eq!(touch(&mut data, 4, 0), (400, 0), "from the node's memory");
        assert_eq!(touch(&mut data, 4, 0), (0, 0), "the core has them");
        assert_eq!(touch(&mut data, 4, 1), (160, 0), "the cache has them");
        assert_eq!(touch(&mut data, 4, 2), (1_200, 4), "from the other node's cache");
        assert_eq!(touch(&mut Data::on(1), 11, 2), (1_100, 0));
        assert_eq!(touch(&mut data, 4, 2), (160, 0), "the core has lost them, the cache has not");
        assert_eq!(touch(&mut Data::on(1), 21, 2), (2_100, 0));
        assert_eq!(touch(&mut data, 4, 2), (1_200, 4), "they are still at home");
    }
}

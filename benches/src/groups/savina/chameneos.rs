//! Chameneos: creatures that meet in a mall, two at a time, and change their colours by each other's.

use crate::bench::{Measured, Workload};
use crate::latch::{Finish, latch};
use crate::subjects::actors::{Act, Library, Next};

const CREATURES: u32 = 100;

pub(super) const ROW: Workload =
    on_libraries!("chameneos", "100 creatures meet 100,000 times", 100_000, chameneos);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Colour {
    Blue,
    Red,
    Yellow,
}

impl Colour {
    const ALL: [Colour; 3] = [Colour::Blue, Colour::Red, Colour::Yellow];

    /// Returns what two creatures turn into that meet: what they are, or the third colour.
    fn after(self, other: Colour) -> Colour {
        let third = |colour: &Colour| *colour != self && *colour != other;
        if self == other { self } else { Colour::ALL.into_iter().find(third).unwrap_or(self) }
    }
}

#[derive(Clone)]
struct Creature<L: Library> {
    mall: L::Address<Mall<L>>,
    own: Option<L::Address<Creature<L>>>,
    colour: Colour,
    meetings: u32,
}

enum Event<L: Library> {
    Start(L::Address<Creature<L>>),
    /// Somebody is there already, or comes later: this one, of that colour.
    Met(L::Address<Creature<L>>, Colour),
    /// The one who was met says what both have turned into.
    Turned(Colour),
    Closed,
}

impl<L: Library> Creature<L> {
    fn enter(&mut self, turned: Colour) {
        self.colour = turned;
        if let Some(own) = &self.own {
            L::tell(&self.mall, Visit::Enter(own.clone(), self.colour));
        }
    }
}

impl<L: Library> Act<L> for Creature<L> {
    type Message = Event<L>;

    fn handle(&mut self, event: Event<L>) -> Next {
        match event {
            Event::Start(own) => {
                self.own = Some(own);
                self.enter(self.colour);
            }
            Event::Met(other, colour) => {
                let turned = self.colour.after(colour);
                self.meetings += 1;
                L::tell(&other, Event::Turned(turned));
                self.enter(turned);
            }
            Event::Turned(turned) => {
                self.meetings += 1;
                self.enter(turned);
            }
            Event::Closed => {
                L::tell(&self.mall, Visit::Left(self.meetings));
                return Next::Stop;
            }
        }
        Next::Receive
    }
}

#[derive(Clone)]
struct Mall<L: Library> {
    waits: Option<L::Address<Creature<L>>>,
    meetings: u32,
    left: u32,
    /// How many creatures have gone, and how often they have met.
    gone: u32,
    met: u32,
    finish: Finish,
}

enum Visit<L: Library> {
    Enter(L::Address<Creature<L>>, Colour),
    Left(u32),
}

impl<L: Library> Act<L> for Mall<L> {
    type Message = Visit<L>;

    fn handle(&mut self, visit: Visit<L>) -> Next {
        match visit {
            Visit::Enter(who, _) if self.left == 0 => L::tell(&who, Event::Closed),
            Visit::Enter(who, colour) => match self.waits.take() {
                None => self.waits = Some(who),
                Some(first) => {
                    self.left -= 1;
                    L::tell(&first, Event::Met(who, colour));
                }
            },
            Visit::Left(meetings) => {
                self.gone += 1;
                self.met += meetings;
            }
        }
        let over = self.gone == CREATURES;
        if over {
            let is_right = self.met == 2 * self.meetings;
            self.finish.now_if(is_right, "a wrong number of meetings");
        }
        Next::stop_if(over)
    }
}

fn chameneos<L: Library>(meetings: u32) -> Measured {
    let (finish, mut wait) = latch();
    let mall = Mall::<L> { waits: None, meetings, left: meetings, gone: 0, met: 0, finish };
    let mall = L::spawn(mall)?;
    let creature = |number: u32| {
        let colour = Colour::ALL[number as usize % Colour::ALL.len()];
        L::spawn(Creature::<L> { mall: mall.clone(), own: None, colour, meetings: 0 })
    };
    let creatures = (0..CREATURES).map(creature).collect::<Result<Vec<_>, _>>()?;
    wait.start();
    for creature in creatures {
        L::tell(&creature, Event::Start(creature.clone()));
    }
    wait.measured()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_a_colour_keep_it_and_two_others_take_the_third() {
        assert!(Colour::Red.after(Colour::Red) == Colour::Red);
        assert!(Colour::Red.after(Colour::Blue) == Colour::Yellow);
        assert!(Colour::Yellow.after(Colour::Blue) == Colour::Red);
    }
}

//! Random acts beside a model: a plain list, in the order in which its messages are received, that is searched for everything.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// A message: its number, and what is known of it.
type Known = (u32, Tag);

#[derive(Default)]
struct Model(Vec<Known>);

impl Model {
    fn older(&self, tag: &Tag) -> Option<usize> {
        self.0.iter().position(|(_, other)| tag.key.is_some() && other.key == tag.key)
    }

    /// Whether it has room when those at these places are gone.
    fn is_in(&self, gone: &[usize], tag: &Tag, limits: Limits) -> bool {
        let rest = (0..self.0.len()).filter(|place| !gone.contains(place));
        let weights: Vec<usize> = rest.map(|place| self.0[place].1.weight).collect();
        weights.len() < limits.messages
            && weights.iter().sum::<usize>() + tag.weight <= limits.weight
    }

    /// What is superseded; `Err`: it has no room.
    fn accept(&mut self, number: u32, tag: Tag, limits: Limits) -> Result<Option<u32>, ()> {
        let older = self.older(&tag);
        let lighter = older.is_some_and(|place| tag.weight <= self.0[place].1.weight);
        let gone: Vec<usize> = older.into_iter().collect();
        if !lighter && !self.is_in(&gone, &tag, limits) {
            return Err(());
        }
        let Some(place) = older else {
            self.queue(number, tag);
            return Ok(None);
        };
        let (superseded, before) = self.0.remove(place);
        if before.priority >= tag.priority {
            self.0.insert(place, (number, Tag { priority: before.priority, ..tag }));
        } else {
            self.queue(number, tag);
        }
        Ok(Some(superseded))
    }

    fn queue(&mut self, number: u32, tag: Tag) {
        let place = self.0.iter().position(|(_, other)| other.priority < tag.priority);
        self.0.insert(place.unwrap_or(self.0.len()), (number, tag));
    }

    fn make_room(&mut self, tag: &Tag, limits: Limits) -> Option<Vec<u32>> {
        let older = self.older(tag);
        let priority = older.map_or(tag.priority, |place| self.0[place].1.priority);
        let mut places: Vec<usize> = (0..self.0.len()).collect();
        places.sort_by_key(|place| (self.0[*place].1.priority, *place));
        places.retain(|place| {
            Some(*place) != older && self.0[*place].1.priority <= priority.max(tag.priority)
        });
        // Those that are gone: the older one, and more and more of the others.
        let mut gone: Vec<usize> = older.into_iter().collect();
        let mut others = places.into_iter();
        while !self.is_in(&gone, tag, limits) {
            gone.push(others.next()?);
        }
        gone.retain(|place| Some(*place) != older);
        let numbers = gone.iter().map(|place| self.0[*place].0).collect();
        let mut place = 0;
        self.0.retain(|_| {
            place += 1;
            !gone.contains(&(place - 1))
        });
        Some(numbers)
    }

    fn put_back(&mut self, messages: Vec<Known>) {
        for (number, mut tag) in messages.into_iter().rev() {
            if self.older(&tag).is_some() {
                tag.key = None;
            }
            let place = self.0.iter().position(|(_, other)| other.priority <= tag.priority);
            self.0.insert(place.unwrap_or(self.0.len()), (number, tag));
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Accept(Tag),
    MakeRoom(Tag),
    Pop,
    /// So many of those that were taken last come back.
    PutBack(usize),
    Take,
}

fn any_tag() -> impl Strategy<Value = Tag> {
    let key = prop_oneof![Just(None), (0..4_u8).prop_map(|key| Some(Key::of(&key)))];
    (0..3_u8, 0..6_usize, key).prop_map(|(priority, weight, key)| Tag { priority, weight, key })
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => any_tag().prop_map(Act::Accept),
        2 => any_tag().prop_map(Act::MakeRoom),
        4 => Just(Act::Pop),
        2 => (0..4_usize).prop_map(Act::PutBack),
        1 => Just(Act::Take),
    ]
}

fn play(acts: Vec<Act>, limits: Limits) {
    let (mut order, mut model) = (Order::new(), Model::default());
    // Which were taken, and what was said of them.
    let mut taken = Vec::new();
    let mut tags = HashMap::new();
    for (number, act) in (0..).zip(acts) {
        match act {
            Act::Accept(tag) => {
                let expected = model.accept(number, tag.clone(), limits);
                tags.insert(number, tag.clone());
                let accepted = order.accept(tag.clone(), number, limits);
                let back = expected.map_err(|()| (tag, number));
                assert_eq!(accepted, back);
            }
            Act::MakeRoom(tag) => {
                let displaced = order.make_room(&tag, limits);
                assert_eq!(displaced, model.make_room(&tag, limits));
                if displaced.is_some() {
                    tags.insert(number, tag.clone());
                    let expected = model.accept(number, tag.clone(), limits).unwrap();
                    let accepted = order.accept(tag, number, limits).expect("there is room");
                    assert_eq!(accepted, expected);
                }
            }
            Act::Pop => {
                let expected = (!model.0.is_empty()).then(|| model.0.remove(0).0);
                let popped = order.pop();
                assert_eq!(popped, expected);
                taken.extend(popped);
            }
            Act::PutBack(count) => {
                let back = taken.split_off(taken.len().saturating_sub(count));
                let back: Vec<Known> =
                    back.into_iter().map(|number| (number, tags[&number].clone())).collect();
                model.put_back(back.clone());
                order.put_back(back.into_iter().map(|(number, tag)| (tag, number)).collect());
            }
            Act::Take => {
                let all: Vec<u32> = model.0.drain(..).map(|(number, _)| number).collect();
                assert_eq!(order.take(), all);
            }
        }
        assert_eq!(order.len(), model.0.len());
        let weight: usize = model.0.iter().map(|(_, tag)| tag.weight).sum();
        assert_eq!(order.weight, weight as u128);
        let keys = model.0.iter().filter(|(_, tag)| tag.key.is_some()).count();
        assert_eq!(order.by_key.len(), keys);
        assert_eq!(
            order.has_room(limits),
            order.len() < limits.messages && weight <= limits.weight
        );
    }
    let rest: Vec<u32> = std::iter::from_fn(|| order.pop()).collect();
    assert!(rest.iter().copied().eq(model.0.iter().map(|(number, _)| *number)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn it_does_what_a_plain_list_does(
        acts in vec(any_act(), 0..60),
        messages in prop_oneof![1..6_usize, Just(usize::MAX)],
        weight in prop_oneof![1..20_usize, Just(usize::MAX)],
    ) {
        play(acts, Limits { messages, weight });
    }
}

#[test]
fn weights_at_their_limits_are_added_up() {
    let limits = Limits { messages: usize::MAX, weight: usize::MAX };
    let heavy = |number| (Tag { weight: usize::MAX, ..Tag::default() }, number);
    let mut order = Order::new();
    order.put_back(vec![heavy(1), heavy(2)]);
    assert!(!order.has_room(limits));
    assert!(order.accept(Tag { weight: 1, ..Tag::default() }, 3, limits).is_err());
    assert_eq!(order.take(), [1, 2]);
    assert!(order.has_room(limits));
}

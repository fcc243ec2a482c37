//! bastion 0.4, its bounds: each function called with no more known of its arguments than 0.4 asked for. A bound that is stricter does not compile.

use bastion::dispatcher::{Recipient, RecipientMap, RoundRobinHandler};
use bastion::prelude::*;
use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

type Unit = Result<(), ()>;

fn bastion<S, C, M>(supervisor: S, children: C, msg: M) -> Result<(SupervisorRef, ChildrenRef), ()>
where
    S: FnOnce(Supervisor) -> Supervisor,
    C: FnOnce(Children) -> Children,
    M: Message,
{
    let _: Result<(), M> = Bastion::broadcast(msg);
    Ok((Bastion::supervisor(supervisor)?, Bastion::children(children)?))
}

fn execs<I, F>(spawned: I, described: I, children: Children) -> Result<(ChildrenRef, Children), ()>
where
    I: Fn(BastionContext) -> F + Send + 'static,
    F: Future<Output = Unit> + Send + 'static,
{
    Ok((Bastion::spawn(spawned)?, children.with_exec(described)))
}

fn callbacks<C: Fn() + Send + Sync + Clone + 'static>(callbacks: Callbacks, call: C) -> Callbacks {
    let callbacks = callbacks.with_before_start(call.clone()).with_after_start(call.clone());
    let callbacks = callbacks.with_before_restart(call.clone()).with_after_restart(call.clone());
    callbacks.with_after_stop(call)
}

/// Closures may borrow, and need be neither `Send` nor called more than once.
fn supervisors<S, C>(
    mut builder: Supervisor,
    reference: &SupervisorRef,
    s: [S; 3],
    c: [C; 3],
) -> Unit
where
    S: FnOnce(Supervisor) -> Supervisor,
    C: FnOnce(Children) -> Children,
{
    let ([s0, s1, s2], [c0, c1, c2]) = (s, c);
    let _: SupervisorRef = builder.supervisor_ref(s0);
    let _: ChildrenRef = builder.children_ref(c0);
    let _: Supervisor = builder.supervisor(s1).children(c1);
    let _: SupervisorRef = reference.supervisor(s2)?;
    let _: ChildrenRef = reference.children(c2)?;
    Ok(())
}

fn named<N: Into<String>, D: AsRef<str>>(children: Children, name: N, distributor: D) -> Children {
    children.with_name(name).with_distributor(Distributor::named(distributor))
}

fn broadcasts<M: Message>(supervisor: &SupervisorRef, group: &ChildrenRef, [a, b]: [M; 2]) {
    let _: Result<(), M> = supervisor.broadcast(a);
    let _: Result<(), M> = group.broadcast(b);
}

fn child<M: Message>(child: &ChildRef, [a, b, c, d]: [M; 4]) {
    let _: Result<(), M> = child.tell_anonymously(a);
    let _: Result<(), SendError> = child.try_tell_anonymously(b);
    let _: Result<Answer, M> = child.ask_anonymously(c);
    let _: Result<Answer, SendError> = child.try_ask_anonymously(d);
}

fn context<M: Message>(ctx: &BastionContext, to: &RefAddr, [a, b, c]: [M; 3]) {
    let _: Result<(), M> = ctx.tell(to, a);
    let _: Result<Answer, M> = ctx.ask(to, b);
    ctx.broadcast_message(BroadcastTarget::All, c);
}

fn messages<M: Message>(mut msg: Msg, sender: AnswerSender, answer: M) -> Result<M, Msg> {
    let _: Result<(), M> = sender.reply(answer);
    let _: Option<AnswerSender> = msg.take_sender();
    let _: Option<Arc<M>> = msg.downcast_ref::<M>();
    let _: [bool; 4] = [msg.is::<M>(), msg.is_ask(), msg.is_broadcast(), msg.is_tell()];
    msg.downcast::<M>()
}

fn handler<O, Q, T, B>(
    signed: SignedMessage,
    question: impl FnOnce(Q, AnswerSender) -> O,
    tell: impl FnOnce(T, RefAddr) -> O,
    broadcast: impl FnOnce(&B, RefAddr) -> O,
    fallback: impl FnOnce(&dyn Any, RefAddr) -> O,
) -> O
where
    Q: 'static,
    T: Debug + 'static,
    B: Send + Sync + 'static,
{
    let handler: MessageHandler<O> = MessageHandler::new(signed);
    handler.on_question(question).on_tell(tell).on_broadcast(broadcast).on_fallback(fallback)
}

fn distributor<R: Message, M: Message, C: Message + Clone>(
    distributor: Distributor,
    [a, b, c, d]: [M; 4],
    [e, f]: [C; 2],
) -> Result<(), SendError> {
    let _: (Answer, ()) = (distributor.ask_one(a)?, distributor.tell_one(b)?);
    let _: (Vec<Answer>, Vec<()>) = (distributor.ask_everyone(e)?, distributor.tell_everyone(f)?);
    let _ = (distributor.request::<R>(c), distributor.request_sync::<R>(d));
    Ok(())
}

fn executor<F, G, R>([spawned, blocking]: [F; 2], here: G) -> R
where
    F: Future<Output = R> + Send + 'static,
    G: Future<Output = R>,
    R: Send + 'static,
{
    use bastion::executor::{RecoverableHandle, blocking as on_threads, run, spawn};
    let _: [RecoverableHandle<R>; 2] = [spawn(spawned), on_threads(blocking)];
    run(here)
}

/// What programs need of the table of a dispatcher.
fn table(entries: &DispatcherMap, child: &ChildRef) -> usize {
    let _: Option<String> = entries.insert(child.clone(), "module".to_owned());
    let _: Option<String> = entries.get(child);
    let _: bool = entries.contains_key(child);
    let _: (Vec<ChildRef>, Vec<String>) = (entries.keys().collect(), entries.values().collect());
    let _: Vec<(ChildRef, String)> = entries.iter().collect();
    let _: Option<String> = entries.remove(child);
    let _: Option<()> = RecipientMap::new().insert(child.clone(), ());
    entries.len()
}

fn recipients(handler: &RoundRobinHandler, child: &ChildRef) -> (Option<ChildRef>, Vec<ChildRef>) {
    handler.register(child.clone());
    handler.remove(child);
    (handler.next(), handler.all())
}

fn debug<T: Debug>() {}
fn send<T: Send + 'static>() {}

/// What can be printed; and what is made in one thread and used in another.
pub(super) fn traits() {
    debug::<Bastion>();
    debug::<Supervisor>();
    debug::<Children>();
    debug::<RestartPolicy>();
    debug::<ActorRestartStrategy>();
    debug::<Dispatcher>();
    debug::<RoundRobinHandler>();
    debug::<MessageHandler<u8>>();
    debug::<Msg>();
    debug::<SignedMessage>();
    send::<Supervisor>();
    send::<Children>();
    send::<Dispatcher>();
    send::<MessageHandler<u8>>();
    let _: fn(&DispatcherMap, &ChildRef) -> usize = table;
    let _: fn(&RoundRobinHandler, &ChildRef) -> (Option<ChildRef>, Vec<ChildRef>) = recipients;
    let _: fn(Distributor) -> SendError = SendError::from;
    let _: fn(&SendError) -> &(dyn std::error::Error + Send + Sync) = |error| error;
    let _: fn(Callbacks, fn()) -> Callbacks = callbacks;
}

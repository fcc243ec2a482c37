//! bastion 0.4: its names (`names`, §1), its signatures (here, §2 to §11), their bounds (`bounds`), the auto traits (§11.1). That it compiles is the test.
#![allow(
    dead_code,
    clippy::type_complexity,
    clippy::let_underscore_future,
    reason = "what is written out is what is checked"
)]

mod bounds;
mod names;

use bastion::dispatcher;
use bastion::prelude::*;
use std::any::Any;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

type Unit = Result<(), ()>;

fn shared<T: Clone + Send + Sync + Debug + 'static>() {}
fn message<T: Message>() {}
fn equal<T: Eq>() {}
fn hashed<T: Hash>() {}
fn default<T: Default>() {}
fn future<F: Future + Send>(_: F) {}

fn section_11_1_auto_traits() {
    shared::<ChildRef>();
    shared::<ChildrenRef>();
    shared::<SupervisorRef>();
    shared::<RefAddr>();
    shared::<BastionPath>();
    shared::<BastionPathElement>();
    shared::<BastionId>();
    shared::<Distributor>();
    shared::<Callbacks>();
    shared::<Config>();
    shared::<SupervisionStrategy>();
    shared::<RestartStrategy>();
    shared::<DispatcherType>();
    shared::<BroadcastTarget>();
    shared::<NotificationType>();
    message::<Arc<SignedMessage>>();
    message::<SignedMessage>();
    message::<Msg>();
    message::<Answer>();
    message::<AnswerSender>();
    message::<ChildRef>();
    message::<ChildrenRef>();
    message::<SupervisorRef>();
    message::<BastionContext>();
    message::<SendError>();
    message::<ReceiveError>();
    equal::<ChildRef>();
    equal::<ChildrenRef>();
    equal::<SupervisorRef>();
    equal::<BastionId>();
    equal::<RestartPolicy>();
    equal::<Distributor>();
    equal::<DispatcherType>();
    hashed::<ChildRef>();
    hashed::<BastionId>();
    hashed::<Distributor>();
    hashed::<DispatcherType>();
    default::<Config>();
    default::<Callbacks>();
    default::<SupervisionStrategy>();
    default::<RestartPolicy>();
    default::<ActorRestartStrategy>();
    default::<RestartStrategy>();
    default::<Dispatcher>();
    default::<DispatcherType>();
    default::<DefaultDispatcherHandler>();
    default::<dispatcher::RoundRobinHandler>();
    let _: fn(&BastionId) -> &dyn Display = |id| id;
    let _: fn(&BastionPath) -> &dyn Display = |path| path;
    let _: fn(SendError) -> anyhow::Error = anyhow::Error::from;
    let _: fn(&BastionContext) = |ctx| {
        future(ctx.recv());
        future(ctx.try_recv());
        future(ctx.try_recv_timeout(Duration::ZERO));
    };
    let _: fn(Msg) = |msg| {
        let _: &dyn Any = msg.as_ref();
    };
}

#[cfg(feature = "scaling")]
fn section_12_resizer() {
    type Builder<T> = fn(OptimalSizeExploringResizer, T) -> OptimalSizeExploringResizer;
    let _: Builder<u64> = OptimalSizeExploringResizer::with_lower_bound;
    let _: Builder<UpperBound> = OptimalSizeExploringResizer::with_upper_bound;
    let _: Builder<UpscaleStrategy> = OptimalSizeExploringResizer::with_upscale_strategy;
    let _: [Builder<f64>; 3] = [
        OptimalSizeExploringResizer::with_upscale_rate,
        OptimalSizeExploringResizer::with_downscale_threshold,
        OptimalSizeExploringResizer::with_downscale_rate,
    ];
    let _ = [UpperBound::Limit(7_u64), UpperBound::Unlimited];
    let _ = UpscaleStrategy::MailboxSizeThreshold(7_u32);
    let _: fn(Children, bastion::resizer::OptimalSizeExploringResizer) -> Children =
        Children::with_resizer;
    default::<OptimalSizeExploringResizer>();
    let _: fn(&OptimalSizeExploringResizer) -> &dyn Debug = |resizer| resizer;
}

fn section_2_bastion() {
    let _: fn() = Bastion::init;
    let _: fn(Config) = Bastion::init_with;
    let _: fn(fn(Supervisor) -> Supervisor) -> Result<SupervisorRef, ()> = Bastion::supervisor;
    let _: fn(fn(Children) -> Children) -> Result<ChildrenRef, ()> = Bastion::children;
    let _: fn(fn(BastionContext) -> Exec) -> Result<ChildrenRef, ()> = Bastion::spawn;
    let _: fn(String) -> Result<(), String> = Bastion::broadcast;
    let _: [fn(); 4] = [Bastion::start, Bastion::stop, Bastion::kill, Bastion::block_until_stopped];
    let _: fn(&Bastion) -> &dyn Debug = |bastion| bastion;
    let _: [fn(Config) -> Config; 2] = [Config::show_backtraces, Config::hide_backtraces];
    let _: [fn(Callbacks, fn()) -> Callbacks; 5] = [
        Callbacks::with_before_start,
        Callbacks::with_after_start,
        Callbacks::with_before_restart,
        Callbacks::with_after_restart,
        Callbacks::with_after_stop,
    ];
    let _: [fn(&Callbacks) -> bool; 4] = [
        Callbacks::has_before_start,
        Callbacks::has_before_restart,
        Callbacks::has_after_restart,
        Callbacks::has_after_stop,
    ];
}

type Exec = Pin<Box<dyn Future<Output = Unit> + Send>>;

fn section_3_supervisors() {
    let _: fn(&Supervisor) -> &BastionId = Supervisor::id;
    let _: fn(Supervisor, fn(Supervisor) -> Supervisor) -> Supervisor = Supervisor::supervisor;
    let _: fn(&mut Supervisor, fn(Supervisor) -> Supervisor) -> SupervisorRef =
        Supervisor::supervisor_ref;
    let _: fn(Supervisor, fn(Children) -> Children) -> Supervisor = Supervisor::children;
    let _: fn(&Supervisor, fn(Children) -> Children) -> ChildrenRef = Supervisor::children_ref;
    let _: fn(Supervisor, SupervisionStrategy) -> Supervisor = Supervisor::with_strategy;
    let _: fn(Supervisor, RestartStrategy) -> Supervisor = Supervisor::with_restart_strategy;
    let _: fn(Supervisor, Callbacks) -> Supervisor = Supervisor::with_callbacks;
    let _: fn(&SupervisorRef) -> &BastionId = SupervisorRef::id;
    let _: fn(&SupervisorRef, fn(Supervisor) -> Supervisor) -> Result<SupervisorRef, ()> =
        SupervisorRef::supervisor;
    let _: fn(&SupervisorRef, fn(Children) -> Children) -> Result<ChildrenRef, ()> =
        SupervisorRef::children;
    let _: fn(&SupervisorRef, SupervisionStrategy) -> Unit = SupervisorRef::strategy;
    let _: fn(&SupervisorRef, u8) -> Result<(), u8> = SupervisorRef::broadcast;
    let _: [fn(&SupervisorRef) -> Unit; 2] = [SupervisorRef::stop, SupervisorRef::kill];
    let _: fn(RestartPolicy, ActorRestartStrategy) -> RestartStrategy = RestartStrategy::new;
    let _: fn(&RestartStrategy) -> RestartPolicy = RestartStrategy::restart_policy;
    let _: fn(&RestartStrategy) -> ActorRestartStrategy = RestartStrategy::strategy;
    let _: fn(&ActorRestartStrategy, usize) -> Option<Duration> = ActorRestartStrategy::calculate;
    let _: RestartPolicy = RestartPolicy::Tries(3_usize);
    let timeout = Duration::from_secs(1);
    let _ = ActorRestartStrategy::ExponentialBackOff { timeout, multiplier: 5.0_f64 };
    let _ = ActorRestartStrategy::LinearBackOff { timeout };
}

async fn named(_ctx: BastionContext) -> Result<(), ()> {
    Ok(())
}

fn plain(children: Children) -> Children {
    // Async functions, closures whose argument is inferred, closures that are not `Sync`.
    let not_sync = std::cell::Cell::new(1);
    children.with_exec(named).with_exec(|ctx| async move { ctx.recv().await.map(drop) }).with_exec(
        move |_| {
            not_sync.set(2);
            async { panic!("coerces") }
        },
    )
}

fn section_4_and_5_children() {
    let _: fn(Supervisor) -> Supervisor = |supervisor| supervisor.children(plain);
    let _: fn(&Children) -> &BastionId = Children::id;
    let _: fn(Children, &'static str) -> Children = Children::with_name;
    let _: fn(Children, usize) -> Children = Children::with_redundancy;
    let _: fn(Children, Dispatcher) -> Children = Children::with_dispatcher;
    let _: fn(Children, Distributor) -> Children = Children::with_distributor;
    let _: fn(Children, Callbacks) -> Children = Children::with_callbacks;
    let _: fn(Children, Duration) -> Children = Children::with_heartbeat_tick;
    let _: fn(&ChildrenRef) -> &BastionId = ChildrenRef::id;
    let _: fn(&ChildrenRef) -> &Vec<DispatcherType> = ChildrenRef::dispatchers;
    let _: fn(&ChildrenRef) -> &Vec<Distributor> = ChildrenRef::distributors;
    let _: fn(&ChildrenRef) -> &[ChildRef] = ChildrenRef::elems;
    let _: fn(&ChildrenRef, u8) -> Result<(), u8> = ChildrenRef::broadcast;
    let _: [fn(&ChildrenRef) -> Unit; 2] = [ChildrenRef::stop, ChildrenRef::kill];
    let _: fn(&ChildrenRef) -> &Arc<BastionPath> = ChildrenRef::path;
    let _: fn(&ChildRef) -> &BastionId = ChildRef::id;
    let _: fn(&ChildRef) -> bool = ChildRef::is_public;
    let _: fn(&ChildRef, u8) -> Result<(), u8> = ChildRef::tell_anonymously;
    let _: fn(&ChildRef, u8) -> Result<(), SendError> = ChildRef::try_tell_anonymously;
    let _: fn(&ChildRef, u8) -> Result<Answer, u8> = ChildRef::ask_anonymously;
    let _: fn(&ChildRef, u8) -> Result<Answer, SendError> = ChildRef::try_ask_anonymously;
    let _: [fn(&ChildRef) -> Unit; 2] = [ChildRef::stop, ChildRef::kill];
    let _: fn(&ChildRef) -> RefAddr = ChildRef::addr;
    let _: fn(&ChildRef) -> &Arc<BastionPath> = ChildRef::path;
    let _: fn(&ChildRef) -> &str = ChildRef::name;
}

fn section_6_context() {
    let _: fn(&BastionContext) -> &ChildRef = BastionContext::current;
    let _: fn(&BastionContext) -> &ChildrenRef = BastionContext::parent;
    let _: fn(&BastionContext) -> Option<&SupervisorRef> = BastionContext::supervisor;
    let _: fn(&BastionContext) -> RefAddr = BastionContext::signature;
    let _: fn(&BastionContext, &RefAddr, u8) -> Result<(), u8> = BastionContext::tell;
    let _: fn(&BastionContext, &RefAddr, u8) -> Result<Answer, u8> = BastionContext::ask;
    let _: fn(&BastionContext, &[DispatcherType], NotificationType) = BastionContext::notify;
    let _: fn(&BastionContext, BroadcastTarget, u8) = BastionContext::broadcast_message;
    const { assert!(matches!(&NIL_ID, BastionId { .. })) }
}

async fn outputs(ctx: &BastionContext) {
    let _: Option<SignedMessage> = ctx.try_recv().await;
    let _: Result<SignedMessage, ()> = ctx.recv().await;
    let _: Result<SignedMessage, ReceiveError> = ctx.try_recv_timeout(Duration::ZERO).await;
}

async fn section_7_messages(answer: Answer, signed: SignedMessage) -> Result<(), ()> {
    let _: SignedMessage = answer.await?;
    let _: &RefAddr = signed.signature();
    let (msg, address): (Msg, RefAddr) = signed.extract();
    let (_, _): (&Arc<BastionPath>, bool) = (address.path(), address.is_sender_identified());
    let _: Result<String, Msg> = msg.downcast::<String>();
    let _: fn(AnswerSender, String) -> Result<(), String> = AnswerSender::reply;
    let _: fn(SignedMessage) -> MessageHandler<u8> = MessageHandler::new;
    let _: fn(SignedMessage) -> u8 = |signed| {
        MessageHandler::new(signed)
            .on_question(|text: &str, _: AnswerSender| text.len() as u8)
            .on_tell(|_: u8, _: RefAddr| panic!("coerces"))
            .on_broadcast(|n: &u8, _| *n)
            .on_fallback(|any: &dyn Any, _: RefAddr| any.is::<u8>() as u8)
    };
    Ok(())
}

fn section_8_distributors(d: Distributor, child: ChildRef) -> anyhow::Result<()> {
    let _: Distributor = Distributor::named(String::from("name"));
    let _: Result<Answer, SendError> = d.ask_one(1);
    let _: Result<Vec<Answer>, SendError> = d.ask_everyone(1);
    let _: Result<(), SendError> = d.tell_one(1);
    let _: Result<Vec<()>, SendError> = d.tell_everyone(1);
    let _: futures_channel::oneshot::Receiver<Result<u8, SendError>> = d.request(1);
    let _: std::sync::mpsc::Receiver<Result<u8, SendError>> = d.request_sync(1);
    d.subscribe(child.clone())?;
    d.unsubscribe(child)
}

#[derive(Debug)]
struct Own;

impl dispatcher::Recipient for Own {
    fn next(&self) -> Option<ChildRef> {
        None
    }
    fn all(&self) -> Vec<ChildRef> {
        Vec::new()
    }
    fn register(&self, _: ChildRef) {}
    fn remove(&self, _: &ChildRef) {}
}

impl dispatcher::RecipientHandler for Own {}

impl DispatcherHandler for Own {
    fn notify(&self, _: &ChildRef, entries: &DispatcherMap, _: NotificationType) {
        for (_child, _module) in entries.iter() {}
        let _: usize = entries.len();
    }
    fn broadcast_message(&self, _: &DispatcherMap, _: &Arc<SignedMessage>) {}
}

fn section_9_dispatchers(child: &ChildRef, signed: &Arc<SignedMessage>) {
    let dispatcher = Dispatcher::with_type(String::from("name").into())
        .with_dispatcher_type(DispatcherType::Anonymous)
        .with_handler(Box::new(Own));
    let _: DispatcherType = dispatcher.dispatcher_type();
    let _: &(dyn DispatcherHandler + Send + Sync) = dispatcher.handler();
    dispatcher.notify(child, NotificationType::Remove);
    dispatcher.broadcast_message(signed);
}

fn section_10_paths(path: &BastionPath) -> (&BastionId, &Option<BastionPathElement>, bool) {
    (path.id(), path.elem(), path.is_dead_letters())
}

fn section_11_executor() {
    use bastion::executor::{blocking, run, spawn};
    let handle: bastion::executor::RecoverableHandle<u8> = spawn(async { 1_u8 });
    let _: Option<u8> = run(handle);
    let not_send = std::rc::Rc::new(1);
    let _: i32 = run(async move { *not_send });
    drop(blocking(async { 1 }));
}

fn errors_are_what_they_were(error: SendError) -> Option<String> {
    match error {
        SendError::Disconnected(msg) | SendError::Full(msg) => Some(format!("{msg:?}")),
        SendError::Other(error) => Some(error.to_string()),
        SendError::NoDistributor(name) => Some(name),
        SendError::EmptyRecipient => None,
    }
}

#[test]
fn section_11_1_it_compiles() {
    section_11_1_auto_traits();
    #[cfg(feature = "scaling")]
    section_12_resizer();
    bounds::traits();
}

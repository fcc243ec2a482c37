//! Why nothing was received, or sent.

use crate::distributor::Distributor;
use crate::envelope::SignedMessage;
use crate::message::Msg;
use bastion_supervision::TellError;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why no message was received.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// # let group = platform.spawn(|ctx| async move {
/// # let question = ctx.recv().await?;
/// let limit = std::time::Duration::from_millis(1);
/// match ctx.try_recv_timeout(limit).await {
///     Ok(message) => println!("{message:?}"),
///     Err(ReceiveError::Timeout(limit)) => println!("nothing in {limit:?}"),
///     Err(ReceiveError::Other) => return Ok(()),
/// }
/// # answer!(question, ()).map_err(|_| ())
/// # }).unwrap();
/// # platform.start();
/// # assert!(group.elems()[0].ask_anonymously("go").unwrap().await.is_ok());
/// # });
/// ```
#[derive(Debug)]
pub enum ReceiveError {
    /// None came in this time.
    Timeout(Duration),
    /// The child is asked to stop; or, of an answer, there will be none.
    Other,
}

/// Why a message was not sent.
///
/// # Examples
/// ```
/// # use bastion_classic::{platform::Platform, prelude::*};
/// # Platform::simulate(1, async |platform| {
/// let nobody = Distributor::named("staff of SendError");
/// let error = nobody.tell_one("hello").unwrap_err();
/// assert_eq!(error.to_string(), "there is no distributor \"staff of SendError\"");
/// # });
/// ```
#[derive(Debug)]
pub enum SendError {
    /// The child has ended. The message comes back.
    Disconnected(Msg),
    /// The child's mailbox is full. The message comes back.
    Full(Msg),
    /// Something else.
    Other(anyhow::Error),
    /// Nobody was ever a member of the distributor of this name, or the last one has left.
    NoDistributor(String),
    /// The distributor has no members yet.
    EmptyRecipient,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Disconnected(_) => f.write_str("the child has ended"),
            SendError::Full(_) => f.write_str("the child's mailbox is full"),
            SendError::Other(error) => error.fmt(f),
            SendError::NoDistributor(name) => write!(f, "there is no distributor {name:?}"),
            SendError::EmptyRecipient => f.write_str("the distributor has no members"),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SendError::Other(error) => error.source(),
            _ => None,
        }
    }
}

impl From<TellError<SignedMessage>> for SendError {
    fn from(error: TellError<SignedMessage>) -> Self {
        let dead = error.is_dead();
        let msg = error.into_message().msg;
        if dead { SendError::Disconnected(msg) } else { SendError::Full(msg) }
    }
}

impl From<Distributor> for SendError {
    fn from(distributor: Distributor) -> Self {
        SendError::NoDistributor(distributor.name().to_owned())
    }
}

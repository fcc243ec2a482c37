//! [`Object`]: what a [`Handle`](super::Handle) can be of, and how each of them is waited for.

use bastion_executor::io::{Async, fs};
use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::sync::Arc;

/// What a [`Handle`](super::Handle) can be of: std's sockets and files. It cannot be implemented elsewhere.
pub trait Object: sealed::Waited {}

impl<T: sealed::Waited> Object for T {}

pub(super) mod sealed {
    use std::io;

    pub trait Waited: Sized {
        /// The object, with what waits for it.
        type Waiting;

        fn waited_for(self) -> io::Result<Self::Waiting>;
        fn object(waiting: &Self::Waiting) -> &Self;
        fn taken_out(waiting: Self::Waiting) -> Self;
    }
}

/// The reactor waits.
macro_rules! watched {
    ($($socket:ty),*) => {$(
        impl sealed::Waited for $socket {
            /// Shared with nobody: it is so that the executor's own types hand it over.
            type Waiting = Arc<Async<$socket>>;

            fn waited_for(self) -> io::Result<Self::Waiting> {
                Async::new(self).map(Arc::new)
            }

            fn object(waiting: &Self::Waiting) -> &Self {
                waiting.get_ref()
            }

            fn taken_out(waiting: Self::Waiting) -> Self {
                let socket = Arc::into_inner(waiting).expect("it is shared with nobody");
                socket.into_inner().expect("there is no error to be had")
            }
        }
    )*};
}

watched!(TcpListener, TcpStream, UdpSocket);
#[cfg(unix)]
watched!(UnixListener, UnixStream, UnixDatagram);

/// A file, and the same open file for the threads that read and write it.
pub struct Threaded {
    file: File,
    pub(super) io: fs::File,
}

impl sealed::Waited for File {
    type Waiting = Threaded;

    fn waited_for(self) -> io::Result<Threaded> {
        Ok(Threaded { io: self.try_clone()?.into(), file: self })
    }

    fn object(waiting: &Threaded) -> &File {
        &waiting.file
    }

    fn taken_out(waiting: Threaded) -> File {
        waiting.file
    }
}

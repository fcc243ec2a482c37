//! Addresses of sockets, and what can be turned into them: names are looked up in the blocking pool.

use crate::jobs::spawn_blocking;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, ToSocketAddrs};
use std::vec;

/// What names one or more socket addresses: an address, some addresses, an IP and a port, `("host", port)`, `"host:port"`.
///
/// It cannot be implemented elsewhere.
pub trait AsyncToSocketAddrs: sealed::ToTarget {}

impl<T: sealed::ToTarget + ?Sized> AsyncToSocketAddrs for T {}

/// Looks a name up, and returns all its addresses in the order in which they are best tried.
///
/// # Errors
/// When the name is not known or not understood, or when nobody can be asked.
///
/// # Examples
/// ```
/// let addresses = bastion_executor::run(bastion_executor::io::resolve(("127.0.0.1", 80)))?;
/// assert_eq!(addresses, ["127.0.0.1:80".parse().unwrap()]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn resolve<A: AsyncToSocketAddrs>(address: A) -> io::Result<Vec<SocketAddr>> {
    Ok(addresses(&address).await?.collect())
}

/// Looks a name up. An address costs no allocation.
pub(super) async fn addresses<A: AsyncToSocketAddrs>(address: &A) -> io::Result<Addresses> {
    match address.to_target() {
        Target::Addresses(addresses) => Ok(addresses),
        Target::HostAndPort(host, port) => look_up((host, port)).await,
        Target::Text(text) => look_up(text).await,
    }
}

async fn look_up<N>(name: N) -> io::Result<Addresses>
where
    N: ToSocketAddrs<Iter = vec::IntoIter<SocketAddr>> + Send + 'static,
{
    match spawn_blocking(move || name.to_socket_addrs()).await {
        Some(found) => Ok(Addresses::Many(found?)),
        None => Err(io::Error::other("the blocking pool could not look the name up")),
    }
}

/// The error for a name without addresses.
pub(super) fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the name has no address")
}

/// What a name stands for.
#[derive(Debug, PartialEq)]
pub enum Target {
    /// Nothing has to be looked up.
    Addresses(Addresses),
    /// A host to look up.
    HostAndPort(String, u16),
    /// A host to look up, with its port.
    Text(String),
}

/// Addresses, one after the other.
#[derive(Debug)]
pub enum Addresses {
    /// At most one.
    One(Option<SocketAddr>),
    /// Any number.
    Many(vec::IntoIter<SocketAddr>),
}

impl PartialEq for Addresses {
    fn eq(&self, other: &Addresses) -> bool {
        match (self, other) {
            (Addresses::One(one), Addresses::One(other)) => one == other,
            (Addresses::Many(many), Addresses::Many(other)) => many.as_slice() == other.as_slice(),
            _ => false,
        }
    }
}

impl Iterator for Addresses {
    type Item = SocketAddr;

    fn next(&mut self) -> Option<SocketAddr> {
        match self {
            Addresses::One(address) => address.take(),
            Addresses::Many(addresses) => addresses.next(),
        }
    }
}

mod sealed {
    /// What `AsyncToSocketAddrs` is made of.
    pub trait ToTarget {
        /// Returns what is named.
        fn to_target(&self) -> super::Target;
    }
}

use sealed::ToTarget;

fn one(address: impl Into<SocketAddr>) -> Target {
    Target::Addresses(Addresses::One(Some(address.into())))
}

/// Implements it for what the standard library turns into an address.
macro_rules! addresses_as_they_are {
    ($($type:ty),*) => {$(
        impl ToTarget for $type {
            fn to_target(&self) -> Target {
                one(*self)
            }
        }
    )*};
}

addresses_as_they_are!(SocketAddr, SocketAddrV4, SocketAddrV6);
addresses_as_they_are!((IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

impl ToTarget for [SocketAddr] {
    fn to_target(&self) -> Target {
        Target::Addresses(Addresses::Many(Vec::from(self).into_iter()))
    }
}

impl<const N: usize> ToTarget for [SocketAddr; N] {
    fn to_target(&self) -> Target {
        self.as_slice().to_target()
    }
}

impl ToTarget for Vec<SocketAddr> {
    fn to_target(&self) -> Target {
        self.as_slice().to_target()
    }
}

impl ToTarget for (&str, u16) {
    fn to_target(&self) -> Target {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(ip) => one((ip, port)),
            Err(_) => Target::HostAndPort(host.to_owned(), port),
        }
    }
}

impl ToTarget for (String, u16) {
    fn to_target(&self) -> Target {
        (&*self.0, self.1).to_target()
    }
}

impl ToTarget for str {
    fn to_target(&self) -> Target {
        match self.parse::<SocketAddr>() {
            Ok(address) => one(address),
            Err(_) => Target::Text(self.to_owned()),
        }
    }
}

impl ToTarget for String {
    fn to_target(&self) -> Target {
        self.as_str().to_target()
    }
}

impl<T: ToTarget + ?Sized> ToTarget for &T {
    fn to_target(&self) -> Target {
        (**self).to_target()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_looked_up() {
        let address: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let ready = Target::Addresses(Addresses::One(Some(address)));
        assert_eq!(address.to_target(), ready);
        assert_eq!("127.0.0.1:80".to_target(), ready);
        assert_eq!(String::from("127.0.0.1:80").to_target(), ready);
        assert_eq!(("127.0.0.1", 80).to_target(), ready);
        assert_eq!((Ipv4Addr::LOCALHOST, 80).to_target(), ready);
        assert_eq!((address.ip(), 80).to_target(), ready);
        let many = Target::Addresses(Addresses::Many(vec![address; 2].into_iter()));
        assert_eq!([address; 2].to_target(), many);
        assert_eq!([address; 2][..].to_target(), many);
        assert_eq!("a:1".to_target(), Target::Text("a:1".into()));
        assert_eq!(("a", 1).to_target(), Target::HostAndPort("a".into(), 1));
    }
}

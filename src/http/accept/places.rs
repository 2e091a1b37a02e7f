//! How many connections there are, in all and of each address. As large as the connections it
//! counts and no larger: an address with none is forgotten.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::refusals::Reason;

/// What one customer of a network provider is given in IPv6.
const NETWORK: u128 = !(u64::MAX as u128);

/// The places of a listener.
#[derive(Debug)]
pub(super) struct Places {
    held: Arc<Mutex<Held>>,
    in_all: usize,
    of_address: usize,
}

#[derive(Debug, Default)]
struct Held {
    in_all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One place; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    held: Arc<Mutex<Held>>,
    address: Option<IpAddr>,
}

impl Places {
    pub(super) fn new(in_all: usize, of_address: usize) -> Self {
        Self { held: Arc::default(), in_all, of_address }
    }

    /// A place for a connection from this address, or why there is none.
    pub(super) fn take(&self, address: IpAddr) -> Result<Place, Reason> {
        let address = counted(address);
        let mut held = lock(&self.held);
        if held.in_all >= self.in_all {
            return Err(Reason::Connections);
        }
        if let Some(address) = address {
            let theirs = held.by_address.entry(address).or_default();
            if *theirs >= self.of_address {
                return Err(Reason::ConnectionsOfAddress);
            }
            *theirs += 1;
        }
        held.in_all += 1;
        Ok(Place { held: Arc::clone(&self.held), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.in_all -= 1;
        let Some(address) = self.address else { return };
        if let Some(theirs) = held.by_address.get_mut(&address) {
            *theirs -= 1;
            if *theirs == 0 {
                held.by_address.remove(&address);
            }
        }
    }
}

/// As which address a connection counts; loopback counts as none.
fn counted(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V6(address) => Some(Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()),
        address @ IpAddr::V4(_) => Some(address),
    }
}

/// Nothing panics under this lock.
fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let places = Places::new(3, 2);
        let stranger = address("192.0.2.1");
        let first = places.take(stranger).unwrap();
        let _second = places.take(stranger).unwrap();
        assert_eq!(places.take(stranger).unwrap_err(), Reason::ConnectionsOfAddress);
        // The same address as IPv6 writes it.
        let mapped = address("::ffff:192.0.2.1");
        assert_eq!(places.take(mapped).unwrap_err(), Reason::ConnectionsOfAddress);
        let _other = places.take(address("192.0.2.2")).unwrap();
        assert_eq!(places.take(address("192.0.2.3")).unwrap_err(), Reason::Connections);
        drop(first);
        assert!(places.take(stranger).is_ok());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let places = Places::new(9, 1);
        let _first = places.take(address("2001:db8::1")).unwrap();
        let neighbour = places.take(address("2001:db8::2"));
        assert_eq!(neighbour.unwrap_err(), Reason::ConnectionsOfAddress);
        assert!(places.take(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn loopback_is_exempt_for_a_proxy_speaks_for_everybody() {
        let places = Places::new(9, 1);
        let held: Vec<_> = (0..9).map(|_| places.take(address("127.0.0.1")).unwrap()).collect();
        assert_eq!(places.take(address("::1")).unwrap_err(), Reason::Connections);
        drop(held);
    }

    #[test]
    fn an_address_without_connections_is_forgotten() {
        let places = Places::new(9, 1);
        drop(places.take(address("192.0.2.1")));
        let held = lock(&places.held);
        assert_eq!((held.in_all, held.by_address.len()), (0, 0));
    }
}

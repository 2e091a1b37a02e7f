//! Which addresses may be reached because somebody who uses the API wants it so: a server inside a
//! network must not be made to knock at its neighbours' doors. An address is looked at when it is
//! told, and each time a connection is made, for a name may mean another place by then.
//!
//! Source: the registries of special-purpose addresses of IANA.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};

/// The longest address.
const URL_BYTES: usize = 2_048;

/// What is allowed beside `https` to the public internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// `http` too.
    pub plain: bool,
    /// Addresses of this machine and of its own networks too.
    pub private: bool,
}

/// A name means no address that may be reached.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no address of this name may be reached")]
pub(super) struct OutOfReach;

impl Reach {
    /// A client that reaches no other addresses by name, follows no redirect and asks no proxy of
    /// the environment. An address that is written in figures is not resolved: [`Reach::check`] it.
    ///
    /// # Errors
    /// When TLS is not to be had.
    pub fn client(self) -> reqwest::Result<Client> {
        self.guarded(Arc::new(System)).build()
    }

    /// The same, to be set further.
    pub(super) fn guarded(self, resolver: Arc<impl Resolve + 'static>) -> ClientBuilder {
        Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Guarded { resolver, reach: self }))
    }

    /// The address, if it may be reached as far as can be told from its looks.
    ///
    /// # Errors
    /// What is wrong with it and what to do, without the address itself.
    pub fn check(&self, url: &str) -> Result<Url, String> {
        if url.len() > URL_BYTES {
            return Err(format!("the address has more than {URL_BYTES} bytes"));
        }
        let told = Url::parse(url)
            .map_err(|_| "this is no address; write it like https://a.example/hook".to_owned())?;
        match told.scheme() {
            "https" => {}
            "http" if self.plain => {}
            _ => {
                return Err("the address must begin with https://; whoever runs the server can \
                            allow http with webhooks.allow_http"
                    .to_owned());
            }
        }
        if !told.username().is_empty() || told.password().is_some() {
            return Err("leave user and password out of the address: what is sent is signed, \
                        check the signature"
                .to_owned());
        }
        let host = told.host_str().unwrap_or_default().trim_end_matches('.');
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let local = host == "localhost" || host.ends_with(".localhost");
        if literal.map_or(!local || self.private, |address| self.admits(address)) {
            return Ok(told);
        }
        Err(format!(
            "{host} is not on the public internet; use an address that is, or have whoever runs \
             the server allow it with webhooks.allow_private"
        ))
    }

    fn admits(self, address: IpAddr) -> bool {
        self.private || is_public(address)
    }
}

/// Whether an address is one host's on the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = matches!(
        address.octets(),
        // This network, private use, between a provider and its customers, loopback.
        [0 | 10 | 127, ..] | [100, 64..=127, ..]
        // Link-local, with the metadata of most clouds; private use.
        | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..]
        // Protocols, with the metadata of one cloud; examples; relays of 6to4; measurements.
        | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [198, 51, 100, _]
        | [203, 0, 113, _]
        // What every machine at Azure sees of its host.
        | [168, 63, 129, 16]
        // Multicast, reserved, broadcast.
        | [224..=255, ..]
    );
    !special
}

/// Of IPv6 only what is handed out to hosts. An IPv4 address in whatever wrapping (mapped, NAT64,
/// 6to4, Teredo) is not told from a way around the rules for IPv4.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let special = matches!(
        address.segments(),
        // Protocols, Teredo among them; examples; 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..]
    );
    address.segments()[0] & 0xe000 == 0x2000 && !special
}

/// Finds out what a name means, and keeps of it what may be reached.
pub(super) struct Guarded<R> {
    pub(super) resolver: Arc<R>,
    pub(super) reach: Reach,
}

impl<R: Resolve + 'static> Resolve for Guarded<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, reach) = (Arc::clone(&self.resolver), self.reach);
        Box::pin(async move {
            let found = resolver.resolve(name).await?;
            let kept: Vec<SocketAddr> = found.filter(|found| reach.admits(found.ip())).collect();
            match kept.is_empty() {
                true => Err(OutOfReach.into()),
                false => Ok(Box::new(kept.into_iter()) as Addrs),
            }
        })
    }
}

/// The machine's own way to find out what a name means.
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Reach = Reach { plain: false, private: false };

    /// As it stands between `https://` and `/`.
    const REFUSED: [&str; 52] = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127。0。0。1",
        "１２７.0.0.1",
        "0.0.0.0",
        "0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "168.63.129.16",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::7f00:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::8.8.8.8]",
        "[64:ff9b:1::1]",
        "[100::1]",
        "[2001::1]",
        "[2001:20::1]",
        "[2001:db8::1]",
        "[2002:7f00:1::]",
        "[3fff::1]",
        "[5f00::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "localhost",
        "a.localhost.",
    ];

    #[test]
    fn addresses_that_are_not_on_the_public_internet_are_refused_however_they_are_written() {
        for host in REFUSED {
            let error = STRICT.check(&format!("https://{host}:8443/a?b")).unwrap_err();
            assert!(error.contains("webhooks.allow_private"), "{host}: {error}");
            let open = Reach { private: true, ..STRICT };
            assert!(open.check(&format!("https://{host}/")).is_ok(), "{host}");
        }
        for host in [
            "a.example",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "[2606:4700:4700::1111]",
            "[2001:4860:4860::8888]",
        ] {
            assert!(STRICT.check(&format!("https://{host}:8443/a?b")).is_ok(), "{host}");
        }
    }

    #[test]
    fn what_is_no_address_for_https_is_refused_without_being_repeated() {
        for (url, told) in [
            ("http://a.example/s3cret", "webhooks.allow_http"),
            ("file:///etc/s3cret", "https://"),
            ("gopher://a.example/s3cret", "https://"),
            ("https://", "no address"),
            ("s3cret", "no address"),
            ("https://u:s3cret@a.example/", "user and password"),
            (&format!("https://a.example/{}", "s3cret".repeat(400)), "2048"),
        ] {
            let error = STRICT.check(url).unwrap_err();
            assert!(error.contains(told) && !error.contains("s3cret"), "{error}");
        }
        assert!(Reach { plain: true, ..STRICT }.check("http://a.example/").is_ok());
    }

    /// Answers with these addresses, whatever it is asked.
    struct Says(&'static [&'static str]);

    impl Resolve for Says {
        fn resolve(&self, _name: Name) -> Resolving {
            let says = self.0.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
            let found: Addrs = Box::new(says.collect::<Vec<_>>().into_iter());
            Box::pin(async { Ok(found) })
        }
    }

    #[tokio::test]
    async fn of_what_a_name_means_only_public_addresses_are_kept() {
        let ask = async |says, reach| {
            let guarded = Guarded { resolver: Arc::new(Says(says)), reach };
            let found = guarded.resolve("a.example".parse().unwrap()).await;
            found.map(|found| found.map(|found| found.ip().to_string()).collect::<Vec<_>>())
        };
        let mixed = &["127.0.0.1", "8.8.8.8", "::1", "::ffff:10.0.0.1"];
        assert_eq!(ask(mixed, STRICT).await.unwrap(), ["8.8.8.8"]);
        let refused = ask(&["10.0.0.1", "fd00::1"], STRICT).await.unwrap_err();
        assert!(refused.is::<OutOfReach>(), "{refused}");
        let open = Reach { private: true, ..STRICT };
        assert_eq!(ask(mixed, open).await.unwrap().len(), 4);
    }
}

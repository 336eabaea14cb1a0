//! Where a lab's hosts stand and what runs on them: arithmetic on the lab's document alone, so
//! that a plan can name every candidate before anything is started.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::inventory::{Candidate, Host, InstanceName, never_restarted};
use super::kubernetes::KubernetesSpec;
use super::lab::{LabSpec, Restart};
use super::network::Cidr;
use super::units::Span;

/// The host that probes look from, in every lab; no service may use its name.
pub const CLIENT: &str = "client";

/// Address numbers: the bridge has `.1`, the client `.10`, hosts count from `.11`.
const CLIENT_NUMBER: u16 = 10;

/// A lab on paper.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The client first, then the hosts in the order in which services (by name) list them.
    pub hosts: Vec<Host>,
    /// Every instance, by service and then in the order of its hosts.
    pub candidates: Vec<Candidate>,
    /// `redis.downAfter`.
    pub timers: BTreeMap<String, Span>,
    /// The zone of each node of a cluster that has one, by its host's name.
    pub zones: BTreeMap<String, String>,
    pub ipv4_prefix: u8,
    pub ipv6_prefix: u8,
    /// The bridge's own addresses.
    pub gateway: (Ipv4Addr, Ipv6Addr),
}

impl Layout {
    /// Errors: everything that is wrong, each in words.
    pub fn of(spec: &LabSpec) -> Result<Layout, Vec<String>> {
        let mut wrong = Vec::new();
        let v4 = block(&spec.network.ipv4, &mut wrong);
        let v6 = block(&spec.network.ipv6, &mut wrong);
        let mut names = vec![CLIENT.to_owned()];
        for (service, declared) in &spec.services {
            for host in &declared.hosts {
                if host == CLIENT {
                    wrong.push(format!(
                        "service `{service}` uses the host name `client`, which is the prober's"
                    ));
                } else if !names.contains(host) {
                    names.push(host.clone());
                }
            }
        }
        let (Some((v4, ipv4_prefix)), Some((v6, ipv6_prefix))) =
            (v4.and_then(|c| as_v4(c, &mut wrong)), v6.and_then(|c| as_v6(c, &mut wrong)))
        else {
            return Err(wrong);
        };
        let room = (1_u32 << (32 - u32::from(ipv4_prefix))) - 2;
        if u32::try_from(names.len()).unwrap_or(u32::MAX) + u32::from(CLIENT_NUMBER) > room {
            wrong.push(format!("{} hosts do not fit into {}", names.len(), spec.network.ipv4));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let hosts: Vec<Host> = (CLIENT_NUMBER..)
            .zip(&names)
            .map(|(number, name)| Host {
                name: name.clone(),
                ipv4: IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() + u32::from(number))),
                // Decimal digits read alike in both families: .11 and ::11.
                ipv6: IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() + decimal_as_hex(number))),
            })
            .collect();
        Ok(Layout {
            candidates: candidates(spec, &hosts),
            timers: timers(spec),
            zones: spec.kubernetes.as_ref().map(KubernetesSpec::zones).unwrap_or_default(),
            hosts,
            ipv4_prefix,
            ipv6_prefix,
            gateway: (Ipv4Addr::from_bits(v4.to_bits() + 1), Ipv6Addr::from_bits(v6.to_bits() + 1)),
        })
    }

    #[must_use]
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|h| h.name == name)
    }

    /// What `{{lab.NAME}}` stands for: `SERVICE` and `SERVICE@HOST` are `IPV4:PORT`,
    /// `SERVICE.ipv6` is `[IPV6]:PORT`, `SERVICE.all` every instance joined by commas,
    /// `host.HOST` and `host.HOST.ipv6` bare addresses.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Option<String> {
        if let Some(host) = name.strip_prefix("host.") {
            return match host.strip_suffix(".ipv6") {
                Some(host) => self.host(host).map(|h| h.ipv6.to_string()),
                None => self.host(host).map(|h| h.ipv4.to_string()),
            };
        }
        let (service, form) = name.rsplit_once('.').unwrap_or((name, ""));
        let (service, host) = match service.split_once('@') {
            Some((service, host)) => (service, Some(host)),
            None => (service, None),
        };
        let mut found = self.candidates.iter().filter(|c| {
            c.service == service && host.is_none_or(|h| c.host.name == h) && c.port.is_some()
        });
        let four = |c: &Candidate| format!("{}:{}", c.host.ipv4, c.port.unwrap_or_default());
        match form {
            "" => found.next().map(four),
            "ipv6" => {
                found.next().map(|c| format!("[{}]:{}", c.host.ipv6, c.port.unwrap_or_default()))
            }
            "all" => {
                let all: Vec<String> = found.map(four).collect();
                (!all.is_empty()).then(|| all.join(","))
            }
            _ => None,
        }
    }
}

fn block(text: &str, wrong: &mut Vec<String>) -> Option<Cidr> {
    text.parse().map_err(|e: String| wrong.push(e)).ok()
}

fn as_v4(cidr: Cidr, wrong: &mut Vec<String>) -> Option<(Ipv4Addr, u8)> {
    match cidr.address {
        IpAddr::V4(address) if (20..=28).contains(&cidr.prefix) => Some((address, cidr.prefix)),
        _ => {
            wrong.push(format!("`{cidr}` must be an IPv4 block from /20 to /28"));
            None
        }
    }
}

fn as_v6(cidr: Cidr, wrong: &mut Vec<String>) -> Option<(Ipv6Addr, u8)> {
    match cidr.address {
        IpAddr::V6(address) if cidr.prefix == 64 => Some((address, cidr.prefix)),
        _ => {
            wrong.push(format!("`{cidr}` must be an IPv6 block of /64"));
            None
        }
    }
}

fn decimal_as_hex(number: u16) -> u128 {
    u128::from_str_radix(&number.to_string(), 16).unwrap_or_default()
}

fn candidates(spec: &LabSpec, hosts: &[Host]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (name, service) in &spec.services {
        for host in &service.hosts {
            let Some(host) = hosts.iter().find(|h| &h.name == host) else { continue };
            found.push(Candidate {
                name: InstanceName(format!("{name}@{}", host.name)),
                service: name.clone(),
                host: host.clone(),
                port: service.port,
                repair: match service.restart {
                    Restart::Never => never_restarted(name),
                    Restart::Always { after } => format!("{name} is restarted after {after}"),
                },
                zone: None,
                object: None,
                created: None,
                opted_in: false,
            });
        }
    }
    found
}

fn timers(spec: &LabSpec) -> BTreeMap<String, Span> {
    let each = |(name, service): (&String, &super::lab::Service)| {
        let named = |(timer, span): (&String, &Span)| (format!("{name}.{timer}"), *span);
        service.timers.iter().map(named).collect::<Vec<_>>()
    };
    spec.services.iter().flat_map(each).collect()
}

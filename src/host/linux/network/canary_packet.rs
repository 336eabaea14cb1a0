//! What a canary looks like on the wire: a transport header that no program will ever take, then
//! the flight's token, the canary's number and when it was sent.
//!
//! ```text
//! IP protocol 253                                        | token 8 | number 4 | sent 8 |
//! TCP: RST of no connection, 20 bytes, checksum 0        | token 8 | number 4 | sent 8 |
//! UDP: 8 bytes, checksum and length wrong                | token 8 | number 4 | sent 8 |
//! ```
//! The checksums are wrong on purpose: both protocols drop such a packet without a word, even where
//! somebody listens on the port.

use crate::model::network::Protocol;

const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const BODY: usize = 20;
const TCP_RST: u8 = 0x04;

/// One flight's packets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    pub token: u64,
    /// Protocol, source and destination port; None: IP protocol 253.
    pub ports: Option<(Protocol, u16, u16)>,
}

impl Packet {
    pub fn encode(&self, number: u32, sent_ns: u64) -> Vec<u8> {
        let mut bytes = self.transport_header();
        bytes.extend_from_slice(&self.token.to_be_bytes());
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(&sent_ns.to_be_bytes());
        bytes
    }

    /// Number and time of sending of one of ours; `header_first`: the IPv4 header is in front.
    pub fn decode(&self, bytes: &[u8], header_first: bool) -> Option<(u32, u64)> {
        let skipped = if header_first { usize::from(bytes.first()? & 0xf) * 4 } else { 0 };
        let body = bytes.get(skipped + self.header_length()..)?;
        let body: &[u8; BODY] = body.first_chunk()?;
        let token = u64::from_be_bytes(*body.first_chunk()?);
        let number = u32::from_be_bytes(*body[8..].first_chunk()?);
        let sent_ns = u64::from_be_bytes(*body[12..].first_chunk()?);
        (token == self.token).then_some((number, sent_ns))
    }

    fn header_length(&self) -> usize {
        match self.ports {
            None => 0,
            Some((Protocol::Tcp, ..)) => TCP_HEADER,
            Some((Protocol::Udp, ..)) => UDP_HEADER,
        }
    }

    fn transport_header(&self) -> Vec<u8> {
        let Some((protocol, from, to)) = self.ports else { return Vec::new() };
        let mut bytes = vec![0; self.header_length()];
        bytes[..2].copy_from_slice(&from.to_be_bytes());
        bytes[2..4].copy_from_slice(&to.to_be_bytes());
        match protocol {
            Protocol::Tcp => {
                // The data begins after five words.
                bytes[12] = 5 << 4;
                bytes[13] = TCP_RST;
            }
            Protocol::Udp => {
                // One byte more than there is: should the checksum be right by accident, 1 in
                // 65536, the length still is not.
                let length = u16::try_from(UDP_HEADER + BODY + 1).unwrap_or(u16::MAX);
                bytes[4..6].copy_from_slice(&length.to_be_bytes());
                // 0 would mean "not computed".
                bytes[6..8].copy_from_slice(&0xdead_u16.to_be_bytes());
            }
        }
        bytes
    }
}

/// A classic BPF program that takes only this flight's pair of ports; None: nothing to tell apart.
pub(super) fn filter(packet: &Packet, ipv6: bool) -> Option<Vec<libc::sock_filter>> {
    let (_, from, to) = packet.ports?;
    let step = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap_or(0),
        jt,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_H | if ipv6 { libc::BPF_ABS } else { libc::BPF_IND };
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let mut program = Vec::new();
    if !ipv6 {
        // The IPv4 header is in front: its length into the index register.
        program.push(step(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0, 0, 0));
    }
    program.push(step(load, 0, 0, 0));
    program.push(step(equal, 0, 3, u32::from(from)));
    program.push(step(load, 0, 0, 2));
    program.push(step(equal, 0, 1, u32::from(to)));
    program.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX));
    program.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, 0));
    Some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_reads_back_and_only_by_its_own_flight() {
        for ports in [None, Some((Protocol::Tcp, 61_000, 80)), Some((Protocol::Udp, 61_000, 53))] {
            let packet = Packet { token: 7, ports };
            let bytes = packet.encode(3, 99);
            assert_eq!(packet.decode(&bytes, false), Some((3, 99)));
            let mut with_header = vec![0x46; 24];
            with_header.extend_from_slice(&bytes);
            assert_eq!(packet.decode(&with_header, true), Some((3, 99)));
            assert_eq!(Packet { token: 8, ports }.decode(&bytes, false), None);
            assert_eq!(packet.decode(&bytes[..bytes.len() - 1], false), None);
        }
    }

    #[test]
    fn no_program_would_take_it() {
        let tcp = Packet { token: 7, ports: Some((Protocol::Tcp, 61_000, 80)) }.encode(0, 0);
        assert_eq!(tcp[13], TCP_RST);
        let udp = Packet { token: 7, ports: Some((Protocol::Udp, 61_000, 53)) }.encode(0, 0);
        assert_ne!(udp[6..8], [0, 0]);
        assert_eq!(usize::from(udp[5]), udp.len() + 1);
    }
}

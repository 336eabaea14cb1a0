//! The few expressions of `nf_tables` that a rule of ours is made of, one method each, all on the
//! first register. They are encoded by the netlink crate, but for two: it does not know `queue`,
//! and it numbers the attributes of `lookup` otherwise than the kernel, which refuses them.

use std::ffi::CStr;

use netlink_bindings::nftables::{
    BitwiseOps, CmpOps, MetaKeys, PayloadBase, PushExprListAttrs, Registers, VerdictCode,
};
use netlink_bindings::utils::{finalize_nested_header, push_nested_header};

use super::socket::put_attribute;

/// `ARPHRD_LOOPBACK`.
const LOOPBACK: u16 = 772;
/// A value no matter which: a gate's one key.
pub(super) const GATE_KEY: [u8; 4] = 1_u32.to_be_bytes();
/// `NFQ_FLAG_BYPASS`: without a listener packets pass.
const BYPASS: u16 = 1;
const LIST_ELEMENT: u16 = 1;
const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;

/// Which end of a packet a match looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Source,
    Destination,
}

/// A rule's expressions in the making, in the order in which the kernel runs them.
#[derive(Debug, Clone, Default)]
pub(super) struct Expressions {
    bytes: Vec<u8>,
}

impl Expressions {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Goes on only while the gate's element lives.
    pub fn gate(self, set: &CStr) -> Expressions {
        self.load_value(&GATE_KEY).in_set(set)
    }

    /// Goes on unless the packet came in by loopback.
    pub fn not_loopback(self) -> Expressions {
        self.load_meta(MetaKeys::Iftype).compare(CmpOps::Neq, &LOOPBACK.to_ne_bytes())
    }

    /// Goes on for one Ethernet protocol only: `0x0800`, `0x86dd`.
    pub fn ethernet(self, protocol: u16) -> Expressions {
        self.load_meta(MetaKeys::Protocol).compare(CmpOps::Eq, &protocol.to_be_bytes())
    }

    /// Goes on for one protocol over IP only.
    pub fn protocol(self, number: u8) -> Expressions {
        self.load_meta(MetaKeys::L4Proto).compare(CmpOps::Eq, &[number])
    }

    /// Goes on for the messages of neighbour discovery only.
    pub fn neighbour_discovery(self) -> Expressions {
        const ICMPV6: u8 = 58;
        self.protocol(ICMPV6)
            .load_payload(PayloadBase::TransportHeader, 0, 1)
            .compare(CmpOps::Gte, &[133])
            .compare(CmpOps::Lte, &[137])
    }

    /// Goes on when that address is in the set.
    pub fn address(self, ipv6: bool, end: End, set: &CStr) -> Expressions {
        let (offset, length) = match (ipv6, end) {
            (false, End::Source) => (12, 4),
            (false, End::Destination) => (16, 4),
            (true, End::Source) => (8, 16),
            (true, End::Destination) => (24, 16),
        };
        self.load_payload(PayloadBase::NetworkHeader, offset, length).in_set(set)
    }

    /// Goes on when that port is in the set. Both TCP and UDP begin with their ports.
    pub fn port(self, end: End, set: &CStr) -> Expressions {
        let offset = if end == End::Source { 0 } else { 2 };
        self.load_payload(PayloadBase::TransportHeader, offset, 2).in_set(set)
    }

    /// Goes on when one of these bits of the packet's mark is set.
    pub fn marked(self, bits: u32) -> Expressions {
        self.load_meta(MetaKeys::Mark).bitwise(bits, 0).compare(CmpOps::Neq, &0_u32.to_ne_bytes())
    }

    /// Sets one bit of the packet's mark.
    pub fn mark(self, bit: u32) -> Expressions {
        let mut set = self.load_meta(MetaKeys::Mark).bitwise(!bit, bit);
        set.list()
            .nested_elem()
            .nested_data_meta()
            .push_key(MetaKeys::Mark as u32)
            .push_sreg(Registers::Reg1 as u32);
        set
    }

    pub fn drop_packet(self) -> Expressions {
        self.verdict(VerdictCode::Drop as u32, None)
    }

    pub fn accept(self) -> Expressions {
        self.verdict(VerdictCode::Accept as u32, None)
    }

    pub fn jump(self, chain: &CStr) -> Expressions {
        self.verdict(VerdictCode::Jump as u32, Some(chain))
    }

    /// The native expression, with bypass.
    pub fn queue(self, number: u16) -> Expressions {
        let half = |attribute, value: u16| (attribute, value.to_be_bytes().to_vec());
        // Number, how many, flags.
        self.by_hand(b"queue\0", &[half(1, number), half(2, 1), half(3, BYPASS)])
    }

    /// The target `NFQUEUE` of iptables, revision 3, as an expression, with bypass.
    pub fn queue_target(mut self, number: u16) -> Expressions {
        // queue, how many, flags, padding to a multiple of 8
        let mut info = Vec::with_capacity(8);
        for half in [number, 1, BYPASS, 0] {
            info.extend_from_slice(&half.to_ne_bytes());
        }
        self.list()
            .nested_elem()
            .nested_data_target()
            .push_name(c"NFQUEUE")
            .push_rev(3)
            .push_info(&info);
        self
    }

    fn list(&mut self) -> PushExprListAttrs<&mut Vec<u8>> {
        PushExprListAttrs::new(&mut self.bytes)
    }

    fn load_value(mut self, value: &[u8]) -> Expressions {
        self.list()
            .nested_elem()
            .nested_data_immediate()
            .push_dreg(Registers::Reg1 as u32)
            .nested_data()
            .push_value(value);
        self
    }

    fn load_meta(mut self, key: MetaKeys) -> Expressions {
        self.list()
            .nested_elem()
            .nested_data_meta()
            .push_key(key as u32)
            .push_dreg(Registers::Reg1 as u32);
        self
    }

    fn load_payload(mut self, base: PayloadBase, offset: u32, length: u32) -> Expressions {
        self.list()
            .nested_elem()
            .nested_data_payload()
            .push_dreg(Registers::Reg1 as u32)
            .push_base(base as u32)
            .push_offset(offset)
            .push_len(length);
        self
    }

    fn compare(mut self, how: CmpOps, value: &[u8]) -> Expressions {
        self.list()
            .nested_elem()
            .nested_data_cmp()
            .push_sreg(Registers::Reg1 as u32)
            .push_op(how as u32)
            .nested_data()
            .push_value(value);
        self
    }

    fn in_set(self, set: &CStr) -> Expressions {
        let register = (Registers::Reg1 as u32).to_be_bytes().to_vec();
        // The set's name, the source register.
        self.by_hand(b"lookup\0", &[(1, set.to_bytes_with_nul().to_vec()), (2, register)])
    }

    fn by_hand(mut self, name: &[u8], attributes: &[(u16, Vec<u8>)]) -> Expressions {
        let element = push_nested_header(&mut self.bytes, LIST_ELEMENT);
        put_attribute(&mut self.bytes, EXPRESSION_NAME, name);
        let data = push_nested_header(&mut self.bytes, EXPRESSION_DATA);
        for (attribute, value) in attributes {
            put_attribute(&mut self.bytes, *attribute, value);
        }
        finalize_nested_header(&mut self.bytes, data);
        finalize_nested_header(&mut self.bytes, element);
        self
    }

    /// Register = (register and mask) xor value, on 32 bits in the host's order.
    fn bitwise(mut self, mask: u32, xor: u32) -> Expressions {
        self.list()
            .nested_elem()
            .nested_data_bitwise()
            .push_sreg(Registers::Reg1 as u32)
            .push_dreg(Registers::Reg1 as u32)
            .push_len(4)
            .push_op(BitwiseOps::MaskXor as u32)
            .nested_mask()
            .push_value(&mask.to_ne_bytes())
            .end_nested()
            .nested_xor()
            .push_value(&xor.to_ne_bytes());
        self
    }

    fn verdict(mut self, code: u32, chain: Option<&CStr>) -> Expressions {
        let verdict = self
            .list()
            .nested_elem()
            .nested_data_immediate()
            .push_dreg(Registers::RegVerdict as u32)
            .nested_data()
            .nested_verdict()
            .push_code(code);
        match chain {
            Some(chain) => drop(verdict.push_chain(chain)),
            None => drop(verdict),
        }
        self
    }
}

//! What is in a namespace, read through a fresh socket and not from our own records.

use std::ffi::CStr;
use std::fmt::Write;

use netlink_bindings::nftables::{ChainAttrs, Nfgenmsg, Request, RuleAttrs, SetAttrs, TableAttrs};
use netlink_bindings::utils::ErrorContext;

use super::queue::QUEUE;
use super::rules::number_of_set;
use super::socket::{NetfilterSocket, close_aside};
use super::tables::{IP, IP6, NETDEV};
use crate::host::HostError;
use crate::model::id::{DrillId, TABLE_PREFIX};

/// Queues of this thread's namespace and who listens.
const QUEUES: &str = "/proc/thread-self/net/netfilter/nfnetlink_queue";

/// Everything of a squall's in this thread's namespace, one line each:
/// `table ip squall_d0123456789`, `set ip squall_d0123456789 i3 of d0123456789.3`,
/// `rule ip squall_d0123456789 faults of d0123456789.3`.
pub(super) fn ours(drill: Option<&DrillId>) -> Result<Vec<String>, HostError> {
    let mut socket = NetfilterSocket::open()?;
    let wanted = drill.map(DrillId::table);
    let is_ours = |table: &str| match &wanted {
        Some(wanted) => table == wanted,
        None => table.starts_with(TABLE_PREFIX),
    };
    let listed = everything(&mut socket, &is_ours);
    close_aside(socket);
    listed
}

fn everything(socket: &mut NetfilterSocket, is_ours: IsOurs) -> Result<Vec<String>, HostError> {
    let mut lines = tables(socket, is_ours)?;
    if !lines.is_empty() {
        lines.extend(chains(socket, is_ours)?);
        lines.extend(sets(socket, is_ours)?);
        lines.extend(rules(socket, is_ours)?);
    }
    Ok(lines)
}

/// Is there a listener on our queue's number? A machine that cannot say has none to show; binding
/// will then tell.
pub(super) fn queue_listener() -> Option<String> {
    let text = std::fs::read_to_string(QUEUES).ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let number: u16 = words.next()?.parse().ok()?;
        let port = words.next()?;
        (number == QUEUE).then(|| format!("packet queue {QUEUE}, held by netlink port {port}"))
    })
}

type IsOurs<'a> = &'a dyn Fn(&str) -> bool;

fn tables(socket: &mut NetfilterSocket, is_ours: IsOurs) -> Result<Vec<String>, HostError> {
    let answers = socket.ask(&Request::new().op_gettable_dump(&Nfgenmsg::new())).map_err(wrap)?;
    let mut lines = Vec::new();
    for (family, attributes) in answers.iter().filter_map(|a| split(a)) {
        let table = TableAttrs::new(attributes);
        let name = text(table.get_name());
        if is_ours(&name) {
            lines.push(format!("table {} {name}", family_name(family)));
        }
    }
    Ok(lines)
}

fn chains(socket: &mut NetfilterSocket, is_ours: IsOurs) -> Result<Vec<String>, HostError> {
    let answers = socket.ask(&Request::new().op_getchain_dump(&Nfgenmsg::new())).map_err(wrap)?;
    let mut lines = Vec::new();
    for (family, attributes) in answers.iter().filter_map(|a| split(a)) {
        let chain = ChainAttrs::new(attributes);
        let table = text(chain.get_table());
        if is_ours(&table) {
            let name = text(chain.get_name());
            lines.push(format!("chain {} {table} {name}", family_name(family)));
        }
    }
    Ok(lines)
}

fn sets(socket: &mut NetfilterSocket, is_ours: IsOurs) -> Result<Vec<String>, HostError> {
    let answers = socket.ask(&Request::new().op_getset_dump(&Nfgenmsg::new())).map_err(wrap)?;
    let mut lines = Vec::new();
    for (family, attributes) in answers.iter().filter_map(|a| split(a)) {
        let set = SetAttrs::new(attributes);
        let table = text(set.get_table());
        if !is_ours(&table) {
            continue;
        }
        let name = text(set.get_name());
        let mut line = format!("set {} {table} {name}", family_name(family));
        if let Some(number) = number_of_set(&name) {
            let drill = table.trim_start_matches(TABLE_PREFIX);
            let _ = write!(line, " of {drill}.{number}");
        }
        lines.push(line);
    }
    Ok(lines)
}

fn rules(socket: &mut NetfilterSocket, is_ours: IsOurs) -> Result<Vec<String>, HostError> {
    let answers = socket.ask(&Request::new().op_getrule_dump(&Nfgenmsg::new())).map_err(wrap)?;
    let mut lines = Vec::new();
    for (family, attributes) in answers.iter().filter_map(|a| split(a)) {
        let rule = RuleAttrs::new(attributes);
        let table = text(rule.get_table());
        if !is_ours(&table) {
            continue;
        }
        let chain = text(rule.get_chain());
        let mut line = format!("rule {} {table} {chain}", family_name(family));
        if let Some(injection) = rule.get_userdata().ok().and_then(injection_of) {
            let _ = write!(line, " of {injection}");
        }
        lines.push(line);
    }
    Ok(lines)
}

/// The injection in a rule's comment: type 0, length, `squall d0123456789.3`, zero.
fn injection_of(userdata: &[u8]) -> Option<String> {
    let comment = CStr::from_bytes_until_nul(userdata.get(2..)?).ok()?;
    Some(comment.to_str().ok()?.strip_prefix("squall ")?.to_owned())
}

/// Family and attributes of an answer.
fn split(answer: &[u8]) -> Option<(u8, &[u8])> {
    Some((*answer.first()?, answer.get(4..)?))
}

fn text(name: Result<&CStr, ErrorContext>) -> String {
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn family_name(family: u8) -> String {
    match family {
        IP => "ip".to_owned(),
        IP6 => "ip6".to_owned(),
        NETDEV => "netdev".to_owned(),
        1 => "inet".to_owned(),
        3 => "arp".to_owned(),
        7 => "bridge".to_owned(),
        other => format!("family {other}"),
    }
}

fn wrap(error: std::io::Error) -> HostError {
    HostError::io("list the rules", error)
}

//! What is written, and what is read back.
//!
//! The ledger is one list, `squall:ledger:SESSION`, of slot numbers: a list, so that an entry that
//! was applied twice is found twice. It is read in pages over the same road as it was written.

use std::rc::Rc;
use std::time::Duration;

use redis::{Cmd, Pipeline, Value};

use super::failure::Failure;
use super::link::Link;
use super::road::Road;
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, LedgerRead};

/// Entries to a page.
const PAGE: usize = 10_000;
/// A page that takes longer is a failed read.
const PAGE_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection for *reading* is tried again: the system has come to rest by then, and a
/// read changes nothing.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Seconds that a value of a slot outlives it.
const VALUE_LIVES: u32 = 60;
/// Seconds that a ledger outlives its second reading.
const LEDGER_LIVES: u32 = 3600;

/// Appends this slot's number.
pub async fn append(link: &Link, session: &str, slot: u64) -> Result<(), Failure> {
    let mut command = redis::cmd("RPUSH");
    command.arg(key(session)).arg(slot);
    match link.ask(&command).await? {
        Value::Int(length) if length > 0 => Ok(()),
        _ => Err(Failure::after_send(ErrorClass::WrongAnswer)),
    }
}

/// Sets a key of this slot's own and gets it again, in one exchange.
pub async fn write_and_read(link: &Link, session: &str, slot: u64) -> Result<(), Failure> {
    let key = format!("squall:probe:{session}:{slot}");
    let mut commands = Pipeline::new();
    commands.cmd("SET").arg(&key).arg(slot).arg("EX").arg(VALUE_LIVES);
    commands.cmd("GET").arg(&key);
    let answers = link.ask_all(&commands, 2).await?;
    let value = slot.to_string();
    match answers.as_slice() {
        [_, Value::BulkString(bytes)] if bytes.as_slice() == value.as_bytes() => Ok(()),
        _ => Err(Failure::after_send(ErrorClass::WrongAnswer)),
    }
}

/// Gets a key that need not exist.
pub async fn look(link: &Link) -> Result<(), Failure> {
    let mut command = redis::cmd("GET");
    command.arg("squall:probe");
    match link.ask(&command).await? {
        Value::Nil | Value::BulkString(_) => Ok(()),
        _ => Err(Failure::after_send(ErrorClass::WrongAnswer)),
    }
}

/// Reads everything; an error is in the answer, and then nothing may be concluded from the rest.
pub async fn read(road: &Rc<Road>, session: &str, round: u8) -> LedgerRead {
    let mut reading = LedgerRead {
        round,
        at_ns: monotonic_ns(),
        source: String::new(),
        found: Vec::new(),
        foreign: 0,
        error: None,
    };
    let outcome = match connect(road).await {
        Ok(link) => {
            reading.source = link.peer.to_string();
            read_pages(&link, session, &mut reading).await
        }
        Err(class) => Err(format!("no connection to read from: {}", class.words())),
    };
    reading.at_ns = monotonic_ns();
    reading.error = outcome.err();
    reading
}

async fn connect(road: &Rc<Road>) -> Result<Rc<Link>, ErrorClass> {
    let until = tokio::time::Instant::now() + CONNECT_WITHIN;
    let mut why = ErrorClass::Timeout;
    loop {
        match tokio::time::timeout_at(until, road.fresh_link()).await {
            Ok(Ok(link)) => return Ok(link),
            Ok(Err(class)) => why = class,
            Err(_) => return Err(why),
        }
    }
}

async fn read_pages(link: &Link, session: &str, reading: &mut LedgerRead) -> Result<(), String> {
    let key = key(session);
    let mut from = 0;
    loop {
        let mut command = redis::cmd("LRANGE");
        command.arg(&key).arg(from).arg(from + PAGE - 1);
        let Value::Array(entries) = ask_page(link, &command).await? else {
            return Err("the ledger is not a list".to_owned());
        };
        for entry in &entries {
            match number_in(entry) {
                Some(number) => reading.found.push(number),
                None => reading.foreign += 1,
            }
        }
        from += PAGE;
        if entries.len() < PAGE {
            break;
        }
    }
    if reading.round >= 2 {
        let mut expire = redis::cmd("EXPIRE");
        expire.arg(&key).arg(LEDGER_LIVES);
        // The reading is done; a list that stays is a nuisance and no error of the reading.
        let _ = ask_page(link, &expire).await;
    }
    Ok(())
}

async fn ask_page(link: &Link, command: &Cmd) -> Result<Value, String> {
    match tokio::time::timeout(PAGE_WITHIN, link.ask(command)).await {
        Ok(answer) => answer.map_err(|f| format!("reading it back failed: {}", f.class.words())),
        Err(_) => Err("reading it back took too long".to_owned()),
    }
}

fn number_in(entry: &Value) -> Option<u64> {
    match entry {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

fn key(session: &str) -> String {
    format!("squall:ledger:{session}")
}

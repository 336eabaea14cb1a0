//! The history as it is being written: kept in memory for the judge, shown to whoever watches, and
//! appended to a file, whose tail may be lost.

use crate::model::history::{Entry, Record};

/// Called with every record, in order.
pub type Observer<'a> = dyn FnMut(&Record) + 'a;

pub struct History<'a> {
    records: Vec<Record>,
    observer: &'a mut Observer<'a>,
}

impl<'a> History<'a> {
    pub fn new(observer: &'a mut Observer<'a>) -> History<'a> {
        History { records: Vec::new(), observer }
    }

    pub fn add(&mut self, at_ns: u64, entry: Entry) {
        let record = Record { at_ns, entry };
        (self.observer)(&record);
        self.records.push(record);
    }

    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }
}

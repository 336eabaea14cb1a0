//! The matrix as a table in SAFETY.md, between two markers, with the commit that it was made from.

use std::fmt::Write as _;

use squall::injection::crash::POINTS;

use crate::who::Who;

const BEGIN: &str = "<!-- matrix: begin, written by `make matrix` -->";
const END: &str = "<!-- matrix: end -->";

#[derive(Debug, Clone)]
pub struct Restored {
    pub by: String,
    pub millis: f64,
}

#[derive(Debug)]
pub struct Outcome {
    pub fault: &'static str,
    pub point: &'static str,
    pub who: Who,
    pub restored: Restored,
}

#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Outcome>,
}

impl Restored {
    pub fn new(by: &str, since_ns: u64, at_ns: u64) -> Restored {
        let micros = u32::try_from(at_ns.saturating_sub(since_ns) / 1000).unwrap_or(u32::MAX);
        Restored { by: by.to_owned(), millis: f64::from(micros) / 1000.0 }
    }
}

impl Table {
    pub fn add(&mut self, outcome: Outcome) {
        self.rows.push(outcome);
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Into the file that `SQUALL_MATRIX` names; nowhere without it.
    pub fn write(&self) {
        let Ok(path) = std::env::var("SQUALL_MATRIX") else { return };
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect("SAFETY.md has lost its first marker");
        let (_, after) = rest.split_once(END).expect("SAFETY.md has lost its last marker");
        let table = self.markdown();
        std::fs::write(&path, format!("{before}{BEGIN}\n{table}{END}{after}")).unwrap();
    }

    fn markdown(&self) -> String {
        let from = |name: &str| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
        let mut text = format!(
            "\n{} cases, commit `{}`, {}, Linux {}; the slowest took {:.0} ms.\n",
            self.rows.len(),
            from("SQUALL_COMMIT"),
            from("SQUALL_DATE"),
            nix::sys::utsname::uname().unwrap().release().to_string_lossy(),
            self.rows.iter().map(|r| r.restored.millis).fold(0.0, f64::max),
        );
        let mut faults: Vec<&str> = self.rows.iter().map(|r| r.fault).collect();
        faults.dedup();
        for fault in faults {
            let _infallible = write!(text, "\n### {fault}\n\n| it happens at |");
            for who in Who::ALL {
                let _infallible = write!(text, " {who} |");
            }
            text.push_str("\n|---|");
            text.push_str(&"---|".repeat(Who::ALL.len()));
            text.push('\n');
            for point in POINTS {
                let _infallible = write!(text, "| {point} |");
                for who in Who::ALL {
                    let _infallible = write!(text, " {} |", self.cell(fault, point, who));
                }
                text.push('\n');
            }
        }
        text.push('\n');
        text
    }

    fn cell(&self, fault: &str, point: &str, who: Who) -> String {
        let row = self.rows.iter().find(|r| r.fault == fault && r.point == point && r.who == who);
        row.map_or(String::new(), |r| format!("{} {:.0} ms", r.restored.by, r.restored.millis))
    }
}

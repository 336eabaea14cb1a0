//! What the machine's console says at its end: how each suite ended, and the closing line.
//!
//! Silence is never success: a suite that the console does not mention, or a console without a
//! closing line, is a failure.

use std::collections::BTreeMap;

/// How a suite ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub passed: usize,
    pub failed: usize,
    pub exit: i32,
}

/// What the console says about the suites.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Closing {
    pub suites: BTreeMap<String, Outcome>,
    /// Passed and failed, by the machine's own sum.
    pub sum: Option<(usize, usize)>,
}

/// The number before a word: `34 passed` gives 34.
fn before<T: std::str::FromStr>(text: &str, word: &str) -> Option<T> {
    text.trim().strip_suffix(word)?.trim().parse().ok()
}

fn outcome(line: &str) -> Option<(String, Outcome)> {
    let (name, rest) = line.strip_prefix("suite ")?.split_once(": ")?;
    let mut parts = rest.split(", ");
    let passed = before(parts.next()?, "passed")?;
    let failed = before(parts.next()?, "failed")?;
    let exit = parts.next()?.strip_prefix("exit ")?.trim().parse().ok()?;
    Some((name.to_owned(), Outcome { passed, failed, exit }))
}

fn sum(line: &str) -> Option<(usize, usize)> {
    let (passed, failed) = line.split_once(", ")?;
    Some((before(passed, "passed")?, before(failed, "failed")?))
}

/// Reads a console.
pub fn read(console: &str) -> Closing {
    Closing {
        suites: console.lines().filter_map(outcome).collect(),
        sum: console.lines().filter_map(sum).next_back(),
    }
}

/// Everything that is wrong with it, where so many tests of each suite had to pass. Empty when
/// every test that was to run has passed.
pub fn faults(closing: &Closing, expected: &BTreeMap<String, usize>) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, wanted) in expected {
        match closing.suites.get(name) {
            None => faults.push(format!("suite {name} did not end")),
            Some(Outcome { passed, failed: 0, exit: 0 }) if passed == wanted => {}
            Some(ended) => faults.push(format!(
                "suite {name}: {} of {wanted} passed, {} failed, exit {}",
                ended.passed, ended.failed, ended.exit
            )),
        }
    }
    let wanted: usize = expected.values().sum();
    match closing.sum {
        None => faults.push("the machine never came to its closing line".to_owned()),
        Some((passed, 0)) if passed == wanted && wanted > 0 => {}
        Some((passed, failed)) => faults.push(format!(
            "closing line: {passed} passed, {failed} failed, where {wanted} had to pass"
        )),
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::{Outcome, faults, read};
    use std::collections::BTreeMap;

    const GOOD: &str = "\r\nmachine: kernel 6.1\r\nsuite a: /deps/a --test-threads=1\r\n\
        test result: ok. 3 passed; 0 failed\r\nsuite a: 3 passed, 0 failed, exit 0, 7 s\r\n\
        suite b: 1 passed, 0 failed, exit 0, 1 s\r\n\r\n4 passed, 0 failed\r\n";

    fn expected() -> BTreeMap<String, usize> {
        [("a", 3), ("b", 1)].map(|(name, count)| (name.to_owned(), count)).into()
    }

    #[test]
    fn a_console_in_order_has_no_faults() {
        let closing = read(GOOD);
        assert_eq!(closing.suites["a"], Outcome { passed: 3, failed: 0, exit: 0 });
        assert_eq!(closing.sum, Some((4, 0)));
        assert_eq!(faults(&closing, &expected()), [""; 0]);
    }

    #[test]
    fn whatever_is_missing_or_bad_is_a_fault() {
        for (from, to, fault) in [
            ("\n4 passed, 0 failed", "\n", "the machine never came to its closing line"),
            ("suite b: 1 passed", "suite c: 1 passed", "suite b did not end"),
            ("3 passed, 0 failed, exit 0", "2 passed, 0 failed, exit 0", "suite a: 2 of 3 passed"),
            ("3 passed, 0 failed, exit 0", "3 passed, 1 failed, exit 0", "suite a: 3 of 3 passed"),
            ("3 passed, 0 failed, exit 0", "3 passed, 0 failed, exit 101", "exit 101"),
            ("\n4 passed, 0 failed", "\n4 passed, 1 failed", "closing line: 4 passed, 1 failed"),
            ("\n4 passed, 0 failed", "\n3 passed, 0 failed", "closing line: 3 passed, 0 failed"),
        ] {
            let found = faults(&read(&GOOD.replace(from, to)), &expected());
            assert!(found.iter().any(|f| f.contains(fault)), "{fault}: {found:?}");
        }
    }

    #[test]
    fn a_machine_that_ran_nothing_has_not_passed() {
        let found = faults(&read("0 passed, 0 failed"), &BTreeMap::new());
        assert_eq!(found, ["closing line: 0 passed, 0 failed, where 0 had to pass"]);
    }
}

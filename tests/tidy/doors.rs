//! The one door to the kernel, and what nobody may start.

use super::imports::contains_word;
use super::source::Tree;

/// Only `host` may write these.
const KERNEL: [&str; 7] = [
    "unsafe",
    "setns",
    "unshare",
    "fork",
    "Command::new",
    "std::process::Command",
    "tokio::process",
];

/// Programs that are spoken to in process, or never.
const PROGRAMS: [&str; 12] = [
    "sh",
    "bash",
    "dash",
    "/bin/sh",
    "/bin/bash",
    "tc",
    "nft",
    "iptables",
    "ip6tables",
    "ip",
    "ifconfig",
    "nsenter",
];

pub fn kernel(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.shipped().filter(|f| f.room() != Some("host")) {
        for (line, code) in file.program() {
            for word in KERNEL.iter().filter(|word| contains_word(code, word)) {
                broken.push(file.at(line, format!("`{word}` belongs into src/host")));
            }
        }
    }
    broken
}

/// A shell's name is never a literal; a tool's name never where a program is started.
pub fn programs(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.shipped() {
        for (line, text) in file.program_with_literals() {
            for program in PROGRAMS {
                let shell = program.ends_with("sh") && text.contains(&format!("\"{program}\""));
                let starts = ["Command::new", "program", "execv", "spawn", "c"]
                    .iter()
                    .any(|call| text.contains(&format!("{call}(\"{program}\"")));
                if shell || starts {
                    broken.push(file.at(line, format!("it starts `{program}`")));
                }
            }
        }
    }
    broken
}

#[cfg(test)]
mod can_fail {
    use super::*;

    #[test]
    fn the_kernel_from_another_room() {
        let bad = |path, text| kernel(&Tree::of([(path, text)])).len();
        assert_eq!(bad("src/drill/a.rs", "unsafe { x() }"), 1);
        assert_eq!(bad("src/host/a.rs", "unsafe { x() }"), 0);
        assert_eq!(bad("src/probe/a.rs", "std::process::Command::new(x)"), 2);
        assert_eq!(bad("src/probe/a.rs", "// unsafe\nlet forked = fork_of;"), 0);
    }

    #[test]
    fn a_shell_or_a_tool() {
        let bad = |text| programs(&Tree::of([("src/host/a.rs", text)])).len();
        assert_eq!(bad("let argv = [\"sh\", \"-c\"];"), 1);
        assert_eq!(bad("Command::new(\"nft\")"), 1);
        assert_eq!(bad("let family = \"ip\"; let hint = \"install nft\";"), 0);
    }
}

//! Approvals on disk: `--approval FILE`, one person's consent in YAML or JSON.
//!
//! ```yaml
//! by: bob
//! intentDigest: 5cfa5c97a09d8cf8a10716e5087fa99dfadaff2b9a302d508b2b05429f6bbb4d
//! at: 2026-06-15T09:00:00Z
//! until: 2026-06-30T00:00:00Z
//! note: announced in CHG-7
//! ```
//! The digest is the `intent` line of `squall plan FILE --policy POLICY`.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::failure::Failure;
use crate::guard::ApprovalRecord;

const SIZE_MAX: u64 = 64 * 1024;

/// Reads one approval. Whether it counts is for the policy's rule to say.
pub fn read(path: &Path) -> Result<ApprovalRecord, Failure> {
    let shown = path.display();
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(SIZE_MAX).read_to_string(&mut text))
        .map_err(|e| Failure::usage(format!("failed to read the approval {shown}: {e}")))?;
    serde_saphyr::from_str(&text).map_err(|e| {
        Failure::usage(format!(
            "{shown}: not an approval: {e}; write `by`, `intentDigest`, `at` and `until`"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::model::outcome::ExitCode;

    #[test]
    fn an_approval_is_read_from_yaml_or_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bob.yaml");
        let time = "2026-06-15T09:00:00Z";
        let yaml = format!("by: bob\nintentDigest: ab\nat: {time}\nuntil: {time}\n");
        std::fs::write(&path, yaml).unwrap();
        assert_eq!(read(&path).unwrap().by, "bob");
        let json =
            format!(r#"{{"by": "eve", "intentDigest": "ab", "at": "{time}", "until": "{time}"}}"#);
        std::fs::write(&path, json).unwrap();
        assert_eq!(read(&path).unwrap().by, "eve");
        std::fs::write(&path, "by: bob\n").unwrap();
        let failure = read(&path).unwrap_err();
        assert!(failure.why.contains("not an approval"), "{failure}");
        assert_eq!(failure.code, ExitCode::Usage as u8);
    }
}

//! `tcp`: connects, and where asked sends a text and matches what comes back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Probe, ProbeKind, Setting};

/// A new connection for every slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// `HOST:PORT`, `[fd66::11]:6379`, or `{{lab.SERVICE}}`.
    pub address: String,
    /// Sent once connected.
    #[serde(default)]
    pub send: Option<String>,
    /// A regular expression that the reply must contain.
    #[serde(default)]
    pub expect: Option<String>,
}

pub struct Tcp;

impl ProbeKind for Tcp {
    type Params = Params;

    const KIND: &'static str = "tcp";
    const SUMMARY: &'static str = "connects, sends, and matches the reply";
    const EXAMPLE: &'static str =
        r#"tcp: {address: "{{lab.redis}}", send: "PING\r\n", expect: PONG}"#;

    fn build(_params: Params, _setting: Setting) -> Result<Box<dyn Probe>, String> {
        Err("not built yet".to_owned())
    }
}

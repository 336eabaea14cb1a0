//! `command`: runs a program and looks at how it ended and what it printed.

use std::collections::BTreeMap;

use futures::future::LocalBoxFuture;
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Probe, ProbeKind, SecretRef, Seen, Setting};
use crate::host::linux::command::{Ending, Program, run};
use crate::model::observation::ErrorClass;

/// A program for every slot, by its argument vector, without a shell. It gets `PATH`, `LANG=C` and
/// what stands below. It runs at most four deadlines, at least 2 s; then it and its group are
/// killed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// The program and its arguments; the first word is looked up in `PATH`.
    pub run: Vec<String>,
    /// The exit status that is a right answer.
    #[serde(default)]
    pub status: i32,
    /// A regular expression that the first 64 KiB of its output must contain.
    #[serde(default)]
    pub expect: Option<String>,
    /// Variables of its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Variables whose values stand elsewhere. A secret never goes into an argument.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_env: BTreeMap<String, SecretRef>,
}

pub struct Command;

impl ProbeKind for Command {
    type Params = Params;

    const KIND: &'static str = "command";
    const SUMMARY: &'static str = "runs a program and looks at its exit status and output";
    const EXAMPLE: &'static str =
        "command: {run: [redis-cli, -h, 10.66.0.11, PING], status: 0, expect: PONG}";

    fn secrets(params: &Params) -> Vec<SecretRef> {
        params.secret_env.values().cloned().collect()
    }

    fn faults_of(params: &Params) -> Vec<String> {
        let mut faults = Vec::new();
        if params.run.first().is_none_or(String::is_empty) {
            faults.push("`run` is empty; give the program and its arguments".to_owned());
        }
        if let Some(Err(e)) = params.expect.as_deref().map(Regex::new) {
            faults.push(format!("`expect` is not a regular expression: {e}"));
        }
        faults
    }

    fn build(params: Params, setting: Setting) -> Result<Box<dyn Probe>, String> {
        if let Some(fault) = Self::faults_of(&params).into_iter().next() {
            return Err(fault);
        }
        let expect = params.expect.as_deref().map(Regex::new).transpose();
        let mut env = params.env;
        for (name, reference) in &params.secret_env {
            env.insert(name.clone(), setting.secrets.value(reference)?.to_owned());
        }
        let program = Program { argv: params.run, env, within: setting.patience };
        if program.file().is_none() {
            // Found out now, and not as slots that are all invalid.
            let name = program.argv.first().map_or("", String::as_str);
            return Err(if name.contains('/') {
                format!("{name} is no program that can be run here; install it, or mend `run`")
            } else {
                format!("no program `{name}` in PATH; install it, or give its path in `run`")
            });
        }
        Ok(Box::new(Runner {
            program,
            status: params.status,
            expect: expect.map_err(|e| e.to_string())?,
        }))
    }
}

struct Runner {
    program: Program,
    status: i32,
    expect: Option<Regex>,
}

impl Probe for Runner {
    fn observe(&self, _slot: u64, _due_ns: u64) -> LocalBoxFuture<'_, Seen> {
        Box::pin(async move {
            match run(&self.program).await {
                // A program that cannot be started says nothing about the system.
                Err(_) => Seen::now(Err(ErrorClass::Ours)),
                Ok(ended) => {
                    let printed = || self.expect.as_ref().is_none_or(|e| e.is_match(&ended.output));
                    let answer = match ended.how {
                        Ending::TimedOut => Err(ErrorClass::Timeout),
                        Ending::Exited(status) if status == self.status && printed() => Ok(()),
                        _ => Err(ErrorClass::WrongAnswer),
                    };
                    Seen { done_ns: ended.at_ns, ..Seen::now(answer) }
                }
            }
        })
    }
}

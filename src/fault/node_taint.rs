//! `nodeTaint`: a node gets a taint, and with it whatever the effect does to pods that do not
//! tolerate it.
//!
//! The list of taints has one owner by the API's own rules, so it is changed only as it was read.
//! Undo takes out our taint and leaves all others, whoever put them there and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::marked::{change, is_ours, metadata, note, unmark, unmarked};
use super::object::{identity, present};
use super::{Access, Capability, Expect, FaultError, FaultKind};
use crate::host::Host;
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::cluster::Resource;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;
use crate::model::mark::Mark;

/// Taints a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
    /// The taint's key: `example.com/maintenance`.
    pub key: String,
    /// The taint's value.
    #[serde(default)]
    pub value: Option<String>,
    pub effect: Effect,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// No new ones come.
    NoSchedule,
    /// New ones come only where no other node takes them.
    PreferNoSchedule,
    /// Those that are there must go as well.
    NoExecute,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    pub mark: Mark,
    /// As the API has it.
    pub taint: Value,
}

pub struct NodeTaint;

impl FaultKind for NodeTaint {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "nodeTaint";
    const SUMMARY: &'static str = "gives a node a taint";
    const EXAMPLE: &'static str =
        "nodeTaint: {target: node, key: squall.dev/drill, effect: noExecute}";
    const NEEDS: &'static [Capability] = &[];
    const ON: &'static [Resource] = &[Resource::Node];
    const ASKS: &'static [Access] =
        &[Access::of("get", Resource::Node), Access::of("patch", Resource::Node)];
    const RESTORE: Restore = Restore::Undo;
    const DEFENCE: &'static [Defence] = &[Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn facts(params: &Params) -> StepFacts {
        Self::on_target(
            &params.target,
            Footprint::Node,
            format!("taint {{target}} with {}", words(&taint(params))),
        )
    }

    fn faults_of(params: &Params) -> Vec<String> {
        let mut wrong = Vec::new();
        if params.key.is_empty() || params.key.contains([' ', '=', ':']) {
            wrong.push("a taint has a key like `example.com/maintenance`".to_owned());
        }
        wrong
    }

    fn arm(host: &mut dyn Host, order: &Order, params: &Params) -> Result<Undo, FaultError> {
        let (object, found, mark) = unmarked(host, order)?;
        let taint = taint(params);
        if let Some(other) = taints(&found).iter().find(|other| same_place(other, &taint)) {
            let why = format!("{} has the taint {} already", object.words(), words(other));
            return Err(FaultError::Foreign(why));
        }
        Ok(Undo { mark, taint })
    }

    fn inject(
        host: &mut dyn Host,
        order: &Order,
        _params: &Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        let object = identity(&order.target)?;
        let note = note::<Self>(object, &undo.mark, undo)?;
        let began_ns = host.now_ns();
        let edit = |found: &Value| {
            let mut taints = taints(found);
            taints.push(undo.taint.clone());
            Some(json!({"metadata": metadata(&note), "spec": {"taints": taints}}))
        };
        change(host, object, &edit)?;
        Ok(Took { began_ns, effective_ns: host.now_ns() })
    }

    fn revert(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
        let edit = |found: &Value| {
            let mut taints = taints(found);
            taints.retain(|taint| !is_it(taint, &undo.taint));
            let taints = if taints.is_empty() { Value::Null } else { taints.into() };
            is_ours(found, &undo.mark)
                .then(|| json!({"metadata": unmark(), "spec": {"taints": taints}}))
        };
        change(host, identity(target)?, &edit)
    }

    fn verify(
        host: &mut dyn Host,
        target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        let object = identity(target)?;
        let found = present(host, object)?;
        let (node, taint) = (object.words(), words(&undo.taint));
        let there = taints(&found).iter().any(|taint| is_it(taint, &undo.taint));
        match (expect, there, is_ours(&found, &undo.mark)) {
            (Expect::InForce, true, _) => Ok(format!("{node} has the taint {taint}")),
            (Expect::InForce, false, _) => {
                Err(FaultError::Unexpected(format!("somebody took the taint {taint} from {node}")))
            }
            (Expect::Gone, _, true) => {
                Err(FaultError::Unexpected(format!("{node} still bears what is ours")))
            }
            (Expect::Gone, true, false) => {
                Ok(format!("{node} has the taint {taint} from somebody else: it stays"))
            }
            (Expect::Gone, false, false) => Ok(format!("{node} has no taint {taint} any more")),
        }
    }
}

fn taint(params: &Params) -> Value {
    let effect = match params.effect {
        Effect::NoSchedule => "NoSchedule",
        Effect::PreferNoSchedule => "PreferNoSchedule",
        Effect::NoExecute => "NoExecute",
    };
    let mut taint = json!({"key": params.key, "effect": effect});
    if let Some(value) = &params.value {
        taint["value"] = value.clone().into();
    }
    taint
}

fn taints(found: &Value) -> Vec<Value> {
    found.pointer("/spec/taints").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// A node has one taint for each key and effect.
fn same_place(one: &Value, other: &Value) -> bool {
    one["key"] == other["key"] && one["effect"] == other["effect"]
}

fn is_it(one: &Value, ours: &Value) -> bool {
    same_place(one, ours) && one["value"] == ours["value"]
}

/// As `kubectl` writes it: `key=value:NoSchedule`.
fn words(taint: &Value) -> String {
    let text = |field: &str| taint[field].as_str().unwrap_or_default();
    match text("value") {
        "" => format!("{}:{}", text("key"), text("effect")),
        value => format!("{}={value}:{}", text("key"), text("effect")),
    }
}

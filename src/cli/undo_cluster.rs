//! `squall undo --cluster`: restores what drills of any machine left in a cluster, with no journal
//! but the marks on its objects.
//!
//! Invariant: a drill that may still be alive undoes its own. Its mark says until when that is, and
//! nobody else touches it before, unless told to.

use std::io::Write;

use jiff::Timestamp;

use super::clusters;
use super::failure::Failure;
use super::undo::{Args, worse};
use crate::backend::kubernetes::marked::{Marked, marked};
use crate::host::kube::ApiClient;
use crate::host::linux::LinuxHost;
use crate::injection::revert::{By, Ending, end, patient_until_ns};
use crate::model::cluster::{ClusterAccess, ClusterIdentity};
use crate::model::id::DrillId;
use crate::model::inventory::{Host, InstanceName, Target};
use crate::model::mark::Note;
use crate::model::message::{FromInjector, Recipe};
use crate::model::outcome::ExitCode;

/// How long the server may take for a word about itself.
const ANSWERS_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Exit codes: 0 nothing is left, 7 something is stuck or its note cannot be read, 3 a drill may be
/// at it or something cannot be looked at, 2 there is no such context.
pub fn run(context: &str, args: &Args, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let file = clusters::file_of(context, args.kubeconfig.as_deref())?;
    let asked =
        match args.drill.as_deref() {
            Some(text) => Some(DrillId::parse(text).ok_or_else(|| {
                Failure::usage(format!("`{text}` is not a drill like d0123456789"))
            })?),
            None => None,
        };
    let runtime = clusters::runtime()?;
    let client = runtime.block_on(ApiClient::open(&file, context))?;
    let uid = runtime.block_on(client.uid(ANSWERS_WITHIN))?;
    let cluster = ClusterIdentity { context: context.to_owned(), uid };
    let access = ClusterAccess { cluster, kubeconfig: file.display().to_string() };
    let look = || -> Result<Marked, Failure> {
        let mut found = runtime.block_on(marked(&client))?;
        found.notes.retain(|id, _| asked.as_ref().is_none_or(|asked| *asked == id.drill));
        Ok(found)
    };
    let mut found = look()?;
    let mut code = ExitCode::Held;
    let now = Timestamp::now();
    let early = |note: &Note| !args.force && now < note.mark.until;
    for note in found.notes.values().filter(|note| early(note)) {
        writeln!(out, "{}", alive(note))?;
        code = worse(code, ExitCode::Refused);
    }
    found.notes.retain(|_, note| !early(note));
    // Whoever does not listen any more keeps nothing in force.
    let mut said = Ok(());
    for note in found.notes.values() {
        let ended = undo(note, &access)?;
        if matches!(ended, FromInjector::Stuck { .. }) {
            code = worse(code, ExitCode::Stuck);
        }
        said = said.and_then(|()| writeln!(out, "{}", words(note, &ended)));
    }
    said?;
    let (undone, left) = (found.notes.len(), if found.notes.is_empty() { found } else { look()? });
    for injection in left.notes.keys().filter(|_| undone > 0) {
        if !early(&left.notes[injection]) {
            writeln!(out, "{injection} is still in the cluster: undo it again")?;
            code = worse(code, ExitCode::Stuck);
        }
    }
    for why in &left.unreadable {
        writeln!(out, "STUCK: a note cannot be read: {why}; look by hand (SAFETY.md)")?;
        code = worse(code, ExitCode::Stuck);
    }
    for why in &left.unseen {
        writeln!(out, "not looked at: {why}")?;
        code = worse(code, ExitCode::Refused);
    }
    if undone == 0 && code == ExitCode::Held {
        writeln!(out, "nothing to undo in cluster {context}")?;
    }
    Ok(code)
}

/// The same way as everybody else's, from the note in place of a journal.
fn undo(note: &Note, access: &ClusterAccess) -> Result<FromInjector, Failure> {
    let object = note.object(&access.cluster);
    let target = Target {
        name: InstanceName(object.words()),
        service: String::new(),
        host: Host::nowhere(),
        port: None,
        process: None,
        netns: None,
        object: Some(object),
    };
    let recipe = Recipe {
        injection: note.mark.injection.clone(),
        kind: note.kind.clone(),
        target,
        undo: note.undo.clone(),
        deadline_ns: 0,
    };
    let drill = note.mark.injection.drill.clone();
    let mut host = LinuxHost::new(drill)?.reaching(vec![access.clone()]);
    let patient_until_ns = patient_until_ns(&host);
    let nobody = &mut || ();
    let mut ending = Ending { by: By::Recovery, journal: None, patient_until_ns, beat: nobody };
    Ok(end(&mut host, &recipe, &mut ending))
}

fn words(note: &Note, ended: &FromInjector) -> String {
    let (injection, kind) = (&note.mark.injection, &note.kind);
    match ended {
        FromInjector::Reverted(r) => format!("{injection} {kind} reverted: {}", r.evidence),
        FromInjector::Void { why, .. } => format!("{injection} {kind} void: {why}"),
        FromInjector::Stuck { why, .. } => format!("{injection} {kind} STUCK: {why}"),
        other => format!("{injection} {kind}: {other:?}"),
    }
}

fn alive(note: &Note) -> String {
    let (injection, until) = (&note.mark.injection, note.mark.until);
    format!(
        "{injection} {} may be a living drill's until {until:.0}; wait for it to undo its own, or \
         say --force",
        note.kind
    )
}

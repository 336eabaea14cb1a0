//! Asks over HTTP/1.1 and times each phase.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::{Request, Response};
use regex::bytes::Regex;

use super::params::{Connection, Params};
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, Phases};
use crate::probe::Setting;
use crate::probe::wire::http::{Lines, class, set_header};
use crate::probe::wire::url::{UrlTarget, target_of};

/// What is kept of a body to match; the rest is read and dropped.
const BODY_KEPT: usize = 1 << 20;

pub struct Client {
    lines: Lines,
    request: Request<Full<Bytes>>,
    statuses: Vec<u16>,
    expect: Option<Regex>,
}

impl Client {
    pub fn new(params: &Params, setting: &Setting) -> Result<Client, String> {
        let target = target_of(&params.url)?;
        let kept = params.connection == Connection::Kept;
        let expect = params.expect.as_deref().map(Regex::new).transpose();
        Ok(Client {
            lines: Lines::new(&target, params.tls.as_ref(), kept, &setting.secrets)?,
            request: request(params, &target, setting)?,
            statuses: params.status.0.clone(),
            expect: expect.map_err(|e| format!("`expect` is not a regular expression: {e}"))?,
        })
    }

    pub async fn prepare(&self) {
        self.lines.prepare().await;
    }

    /// One request, one answer.
    pub async fn ask(&self, phases: &mut Phases) -> Result<(), ErrorClass> {
        let (response, line) = self.lines.send(self.request.clone(), phases).await?;
        let answered = monotonic_ns();
        let verdict = self.judge(response).await;
        phases.body = monotonic_ns() - answered;
        if verdict.read {
            self.lines.put_back(line);
        }
        verdict.answer
    }

    async fn judge(&self, response: Response<Incoming>) -> Verdict {
        let status = response.status().as_u16();
        let mut kept = Vec::new();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            match frame {
                Err(e) => return Verdict { answer: Err(class(&e)), read: false },
                Ok(frame) => {
                    let data = frame.data_ref().map_or(&[][..], |d| d.as_ref());
                    let room = BODY_KEPT.saturating_sub(kept.len()).min(data.len());
                    kept.extend_from_slice(&data[..room]);
                }
            }
        }
        let right = self.expect.as_ref().is_none_or(|expect| expect.is_match(&kept));
        let answer = match status {
            _ if self.statuses.contains(&status) && right => Ok(()),
            _ if self.statuses.contains(&status) => Err(ErrorClass::WrongAnswer),
            500..=599 => Err(ErrorClass::Unavailable),
            401 | 403 => Err(ErrorClass::Denied),
            _ => Err(ErrorClass::WrongAnswer),
        };
        Verdict { answer, read: true }
    }
}

/// What came back, and whether the connection has been read to the end of it.
struct Verdict {
    answer: Result<(), ErrorClass>,
    read: bool,
}

fn request(
    params: &Params,
    target: &UrlTarget,
    setting: &Setting,
) -> Result<Request<Full<Bytes>>, String> {
    let body = Full::new(Bytes::from(params.body.clone().unwrap_or_default()));
    let mut request = Request::builder()
        .method(params.method.as_str())
        .uri(target.path.as_str())
        .header(HOST, target.authority.as_str())
        .body(body)
        .map_err(|e| format!("the request cannot be made: {e}"))?;
    if params.connection == Connection::New {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, value) in &params.headers {
        set_header(&mut request, name, value)?;
    }
    for (name, reference) in &params.secret_headers {
        set_header(&mut request, name, setting.secrets.value(reference)?)?;
    }
    Ok(request)
}

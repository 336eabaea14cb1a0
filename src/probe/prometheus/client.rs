//! Asks Prometheus over kept connections of our own.

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};

use super::params::Params;
use super::query;
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, Phases};
use crate::probe::Setting;
use crate::probe::wire::http::{Lines, set_header};
use crate::probe::wire::url::{UrlTarget, target_of};

/// An answer longer than this is no figure.
const ANSWER_LONGEST: usize = 1 << 20;

pub struct Client {
    lines: Lines,
    /// With the age of its samples.
    question: Request<Full<Bytes>>,
    /// As it was written, so that an objection to it has the places of what was written.
    plain: Request<Full<Bytes>>,
}

impl Client {
    pub fn new(params: &Params, setting: &Setting) -> Result<Client, String> {
        let target = target_of(&params.url)?;
        let fresh_by = params.fresh_by.as_ref().unwrap_or(&params.query);
        let whole = query::with_age(&params.query, fresh_by);
        let lines = Lines::new(&target, params.tls.as_ref(), true, &setting.secrets)?;
        Ok(Client {
            lines,
            question: request(params, &target, (&whole, setting))?,
            plain: request(params, &target, (&params.query, setting))?,
        })
    }

    pub async fn prepare(&self) {
        self.lines.prepare().await;
    }

    /// The status and the body of one answer. Waits as long as it takes.
    pub async fn ask(&self, phases: &mut Phases) -> Result<(u16, Bytes), ErrorClass> {
        self.exchange(&self.question, phases).await
    }

    /// The same to the query as it was written.
    pub async fn ask_plainly(&self) -> Result<(u16, Bytes), ErrorClass> {
        self.exchange(&self.plain, &mut Phases::default()).await
    }

    async fn exchange(
        &self,
        request: &Request<Full<Bytes>>,
        phases: &mut Phases,
    ) -> Result<(u16, Bytes), ErrorClass> {
        let (response, line) = self.lines.send(request.clone(), phases).await?;
        let answered = monotonic_ns();
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_LONGEST).collect().await;
        phases.body = monotonic_ns() - answered;
        let body = body.map_err(|_| ErrorClass::NoData)?.to_bytes();
        self.lines.put_back(line);
        Ok((status, body))
    }
}

fn request(
    params: &Params,
    target: &UrlTarget,
    (query, setting): (&str, &Setting),
) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::builder()
        .method("POST")
        .uri(format!("{}/api/v1/query", target.path.trim_end_matches('/')))
        .header(HOST, target.authority.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(format!("query={}", encoded(query)))))
        .map_err(|e| format!("the request cannot be made: {e}"))?;
    for (name, value) in &params.headers {
        set_header(&mut request, name, value)?;
    }
    for (name, reference) in &params.secret_headers {
        set_header(&mut request, name, setting.secrets.value(reference)?)?;
    }
    if let Some(token) = &params.bearer {
        let token = format!("Bearer {}", setting.secrets.value(token)?);
        set_header(&mut request, "authorization", &token)?;
    }
    Ok(request)
}

/// As a value in a form.
fn encoded(text: &str) -> String {
    let mut form = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            form.push(char::from(byte));
        } else {
            form.push_str(&format!("%{byte:02X}"));
        }
    }
    form
}

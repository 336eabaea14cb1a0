//! TLS as a probe asks for it: an authority, a certificate of our own, a name to check.
//!
//! Certificates travel like secrets, since the prober may stand where the user's files are not.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::class_of;
use crate::model::observation::ErrorClass;
use crate::probe::{SecretRef, Secrets};

/// Where distributions keep the authorities that they trust.
const SYSTEM_AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// `tls: {ca: {file: ca.pem}, certificate: {file: me.pem}, key: {file: me.key}}`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsParams {
    /// Authorities in PEM; those of the machine unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<SecretRef>,
    /// Our own certificate chain in PEM, for servers that ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<SecretRef>,
    /// Its key in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SecretRef>,
    /// The name that the server's certificate must bear; the host or address unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// TLS, ready to be used.
pub struct TlsSetting {
    connector: TlsConnector,
    name: Option<ServerName<'static>>,
}

impl TlsParams {
    pub fn secrets(&self) -> Vec<SecretRef> {
        [&self.ca, &self.certificate, &self.key].into_iter().flatten().cloned().collect()
    }

    /// What is wrong beyond the types.
    pub fn faults_of(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.certificate.is_some() != self.key.is_some() {
            faults.push("`certificate` and `key` belong together; give both".to_owned());
        }
        if let Some(name) = &self.server_name
            && ServerName::try_from(name.as_str()).is_err()
        {
            faults.push(format!("`{name}` is not a server name"));
        }
        faults
    }
}

impl TlsSetting {
    /// `host`: the name to check where the parameters give none; without either, the address.
    pub fn new(params: &TlsParams, host: Option<&str>, secrets: &Secrets) -> Result<Self, String> {
        Self::speaking(&[], params, host, secrets)
    }

    /// The same, with HTTP/2 negotiated: gRPC servers refuse a client that does not ask for it.
    pub fn http2(
        params: &TlsParams,
        host: Option<&str>,
        secrets: &Secrets,
    ) -> Result<Self, String> {
        Self::speaking(&[b"h2"], params, host, secrets)
    }

    fn speaking(
        protocols: &[&[u8]],
        params: &TlsParams,
        host: Option<&str>,
        secrets: &Secrets,
    ) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_root_certificates(authorities(params, secrets)?);
        let mut config = match (&params.certificate, &params.key) {
            (Some(certificate), Some(key)) => config
                .with_client_auth_cert(chain(certificate, secrets)?, private(key, secrets)?)
                .map_err(|e| format!("the client certificate cannot be used: {e}"))?,
            (None, None) => config.with_no_client_auth(),
            _ => return Err("`certificate` and `key` belong together; give both".to_owned()),
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let name = params.server_name.as_deref().or(host);
        let name = name.map(|name| {
            ServerName::try_from(name.to_owned()).map_err(|_| format!("`{name}` is not a name"))
        });
        Ok(TlsSetting { connector: TlsConnector::from(Arc::new(config)), name: name.transpose()? })
    }

    /// Shakes hands on an open connection.
    pub async fn wrap(
        &self,
        stream: TcpStream,
        address: IpAddr,
    ) -> Result<TlsStream<TcpStream>, ErrorClass> {
        let name = self.name.clone().unwrap_or_else(|| ServerName::from(address));
        self.connector.connect(name, stream).await.map_err(|e| class_of(&e))
    }
}

fn authorities(params: &TlsParams, secrets: &Secrets) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if let Some(ca) = &params.ca {
        for certificate in chain(ca, secrets)? {
            store.add(certificate).map_err(|e| format!("{} is no authority: {e}", ca.key()))?;
        }
        return Ok(store);
    }
    let bundle = SYSTEM_AUTHORITIES.iter().find_map(|path| std::fs::read(path).ok());
    let bundle = bundle.ok_or("this machine has no bundle of authorities; give `ca`")?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bundle).filter_map(Result::ok).collect();
    store.add_parsable_certificates(found);
    Ok(store)
}

fn chain(from: &SecretRef, secrets: &Secrets) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = secrets.value(from)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("{} holds no certificate in PEM", from.key())),
    }
}

fn private(from: &SecretRef, secrets: &Secrets) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(secrets.value(from)?.as_bytes())
        .map_err(|_| format!("{} holds no private key in PEM", from.key()))
}

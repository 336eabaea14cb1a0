//! Kubeconfigs: one cluster, one user, one context of the same name, everything embedded.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::keys::Papers;

/// `name` is the context's, and everything else's too.
pub fn write(name: &str, server: SocketAddr, papers: &Papers) -> String {
    let encoded = |text: &str| STANDARD.encode(text);
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters:\n\
         - name: {name}\n  cluster:\n    server: https://{server}\n    \
           certificate-authority-data: {authority}\n\
         users:\n\
         - name: {name}\n  user:\n    client-certificate-data: {certificate}\n    \
           client-key-data: {key}\n\
         contexts:\n\
         - name: {name}\n  context:\n    cluster: {name}\n    user: {name}\n\
         current-context: {name}\n",
        authority = encoded(&papers.authority),
        certificate = encoded(&papers.certificate),
        key = encoded(&papers.key),
    )
}

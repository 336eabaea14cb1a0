//! The keys of one raising of a cluster: an authority that lives in this process's memory only, and
//! what it signs. Nothing here can be shown.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use serde::{Deserialize, Serialize};

use super::{kubeconfig, v4};
use crate::lab::blueprint::Instance;
use crate::model::kubernetes::{Component, SERVICE_OF_API};

/// Names of the API server in the cluster.
const API_NAMES: &[&str] = &[
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// Files that nobody but root reads, by name; never shown.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(pub BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A certificate with its key, and the authority that it is to be checked with.
pub struct Papers {
    pub authority: String,
    pub certificate: String,
    pub key: String,
}

pub struct Keys {
    issuer: CertifiedIssuer<'static, KeyPair>,
    api: Papers,
    front: Papers,
    admin: Papers,
    /// Signs the tokens of service accounts; its public half proves them.
    accounts: KeyPair,
}

impl Keys {
    /// For an API server at that address, and at the machine's loopback.
    pub fn make(api: IpAddr) -> Result<Keys, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "squall-lab");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let names: Vec<String> = API_NAMES.iter().map(|name| (*name).to_owned()).collect();
        let mut server = CertificateParams::new(names)?;
        let addresses = [api, v4(SERVICE_OF_API), IpAddr::V4(Ipv4Addr::LOCALHOST)];
        server.subject_alt_names.extend(addresses.map(SanType::IpAddress));
        server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(Keys {
            api: signed(&issuer, server)?,
            front: client(&issuer, "front-proxy", None)?,
            admin: client(&issuer, "squall", Some("system:masters"))?,
            accounts: KeyPair::generate()?,
            issuer,
        })
    }

    /// An administrator's.
    pub fn admin(&self) -> Result<Papers, rcgen::Error> {
        client(&self.issuer, "squall", Some("system:masters"))
    }

    /// What one instance of the lab called `name` needs, in its own folder.
    pub fn of(
        &self,
        instance: &Instance,
        name: &str,
        server: SocketAddr,
    ) -> Result<Secrets, rcgen::Error> {
        let config = |common: &str, group: Option<&str>| {
            let papers = client(&self.issuer, common, group)?;
            Ok(("kubeconfig", kubeconfig::write(name, server, &papers)))
        };
        let host = &instance.host.name;
        let component = Component::ALL.into_iter().find(|c| c.service() == instance.service);
        let files: Vec<(&str, String)> = match component {
            Some(Component::ApiServer) => self.of_api_server(name, server),
            Some(Component::ControllerManager) => vec![
                config("system:kube-controller-manager", None)?,
                ("ca.crt", self.issuer.pem()),
                ("sa.key", self.accounts.serialize_pem()),
            ],
            Some(Component::Scheduler) => vec![config("system:kube-scheduler", None)?],
            Some(Component::KubeProxy) => vec![config("system:kube-proxy", None)?],
            Some(Component::Kubelet) => vec![
                config(&format!("system:node:{host}"), Some("system:nodes"))?,
                ("ca.crt", self.issuer.pem()),
            ],
            Some(Component::Etcd | Component::Containerd) | None => Vec::new(),
        };
        Ok(Secrets(files.into_iter().map(|(file, text)| (file.to_owned(), text)).collect()))
    }

    fn of_api_server(&self, name: &str, server: SocketAddr) -> Vec<(&'static str, String)> {
        vec![
            ("ca.crt", self.issuer.pem()),
            ("api.crt", self.api.certificate.clone()),
            ("api.key", self.api.key.clone()),
            ("front.crt", self.front.certificate.clone()),
            ("front.key", self.front.key.clone()),
            ("admin.crt", self.admin.certificate.clone()),
            ("admin.key", self.admin.key.clone()),
            ("admin.kubeconfig", kubeconfig::write(name, server, &self.admin)),
            ("sa.key", self.accounts.serialize_pem()),
            ("sa.pub", self.accounts.public_key_pem()),
        ]
    }
}

fn client(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    common: &str,
    group: Option<&str>,
) -> Result<Papers, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    signed(issuer, params)
}

fn signed(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    mut params: CertificateParams,
) -> Result<Papers, rcgen::Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?.pem();
    Ok(Papers { authority: issuer.pem(), certificate, key: key.serialize_pem() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_key_is_ever_shown() {
        let keys = Keys::make(v4("10.66.0.11")).unwrap();
        let server: SocketAddr = "10.66.0.11:6443".parse().unwrap();
        let secrets = Secrets(
            keys.of_api_server("lab", server).into_iter().map(|(n, t)| (n.to_owned(), t)).collect(),
        );
        let shown = format!("{secrets:?}");
        assert!(shown.contains("api.key") && !shown.contains("PRIVATE"), "{shown}");
        let cluster = crate::model::cluster::LabCluster {
            kubeconfig_outside: secrets.0["admin.kubeconfig"].clone(),
            kubeconfig_inside: secrets.0["admin.kubeconfig"].clone(),
            zones: BTreeMap::new(),
        };
        assert!(secrets.0["admin.kubeconfig"].contains("client-key-data"));
        assert!(!format!("{cluster:?}").contains("client-key-data"), "{cluster:?}");
    }

    #[test]
    fn every_raising_has_an_authority_of_its_own() {
        let make = || Keys::make(v4("10.66.0.11")).unwrap().admin().unwrap().authority;
        assert_ne!(make(), make());
    }
}

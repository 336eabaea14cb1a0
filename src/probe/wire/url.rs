//! Where a URL points to.

use hyper::Uri;

/// A URL in the parts that a connection and a request need.
pub struct UrlTarget {
    pub secure: bool,
    /// As the server is called.
    pub host: String,
    /// `HOST:PORT` to connect to.
    pub address: String,
    /// The value of the `Host` header.
    pub authority: String,
    pub path: String,
}

/// Errors: in words, with an example.
pub fn target_of(url: &str) -> Result<UrlTarget, String> {
    let wrong = || format!("`{url}` is not a URL; write it like `http://10.66.0.11:8080/health`");
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let secure = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(wrong()),
    };
    let authority = uri.authority().ok_or_else(wrong)?;
    if authority.as_str().contains('@') {
        return Err("a URL with a password in it is shown in plans; use `secretHeaders`".to_owned());
    }
    let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    Ok(UrlTarget {
        secure,
        host: authority.host().trim_matches(['[', ']']).to_owned(),
        address: format!("{}:{port}", authority.host()),
        authority: authority.as_str().to_owned(),
        path: path.to_owned(),
    })
}

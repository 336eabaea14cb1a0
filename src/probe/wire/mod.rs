//! What probes of network services share: where to connect, how, and what an error means.

pub mod connect;
pub mod endpoint;
pub mod error;
pub mod http;
pub mod tls;
pub mod url;

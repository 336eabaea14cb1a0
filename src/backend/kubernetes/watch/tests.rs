//! What is told of what the server sends. The server itself is asked in `tests/kube`.

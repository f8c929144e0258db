//! Reports as HTTP POSTs.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `settings` | the sink and what can be set on it |
//! | `endpoint` | which URLs are usable, and what of them may be shown |
//! | `headers` | the application's headers, which nobody but the receiver may see |
//! | `roots` | which authorities are trusted |
//! | `proxy` | which proxy the environment asks for |
//! | `gzip` | compression (feature `gzip`) |
//! | `post` | one attempt: requests, limits, redirects |
//! | `lookup` | looking up names, which cannot be interrupted |
//! | `line` | the connection: its stages, its deadline |
//! | `redirect` | where an answer may send a request |
//! | `answer` | what a status and its headers mean |
//! | `hints` | what an acceptance asks for |
//! | `dictionary` | the form that this has in a header |
//! | `failed` | what a fault of the transport means |

mod answer;
mod dictionary;
mod endpoint;
mod failed;
#[cfg(feature = "gzip")]
mod gzip;
mod headers;
mod hints;
mod line;
mod lookup;
mod post;
mod proxy;
mod redirect;
mod roots;
mod settings;

pub use settings::HttpSink;

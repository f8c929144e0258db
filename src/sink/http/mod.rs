//! Reports as HTTP POSTs.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `endpoint` | which URLs are usable, and what of them may be shown |
//! | `post` | one attempt: request, limits, transport faults |
//! | `answer` | what a status and its headers mean |

mod answer;
mod endpoint;
mod post;

pub use post::HttpSink;

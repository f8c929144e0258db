//! What an operator looks at: the state and the next report, as one HTML page.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `page` | what is on it, in which order |
//! | `plot` | a summary as a small range plot |
//! | `html` | text that is safe within HTML |
//! | `style` | how it looks |

mod html;
mod page;
mod plot;
mod style;

pub use page::html;

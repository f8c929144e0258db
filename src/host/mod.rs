//! Facts about the machine and the process, and the identity a report carries.
//!
//! Nothing here reads a host name, a user name, a network or hardware address, or a machine id.

mod facts;
pub(crate) mod id_file;
pub(crate) mod identity;
mod memory;
mod rotation;

pub use facts::HostFacts;
pub use memory::process_memory;

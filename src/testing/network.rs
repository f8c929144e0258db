//! That nothing connects.

use std::io::Write;
use std::net::TcpStream;
use std::thread;

use super::receiver::bind;
use super::{Answer, Request, SOON};

/// What the kit itself sends when the work is done.
const END: &str = "END callhome HTTP/1.1";

/// Runs `work`, gives it the URL of a receiver on this machine, and panics if anything has connected
/// there when it returns: off is off.
///
/// A connection is seen although nothing was sent over it, or nobody waited for the answer. What
/// `work` leaves running may connect later and is not seen: end it within, as
/// [`CallHome::shutdown`](crate::CallHome::shutdown) does. Other addresses are not watched, nor is
/// the look-up of names.
///
/// ```
/// # #[cfg(feature = "http")] {
/// use callhome::{CallHome, Schema, testing};
/// use std::time::Duration;
///
/// testing::assert_no_network(|url| {
///     let callhome = CallHome::builder(Schema::new("shop").counter("orders"))
///         .endpoint(url)
///         .opt_out()
///         .setting("--no-telemetry", Some(false))
///         .build()?;
///     metrics::with_local_recorder(callhome.recorder(), || metrics::counter!("orders").increment(3));
///     callhome.tick();
///     let _ = callhome.shutdown(Duration::from_secs(2));
///     Ok::<(), callhome::Error>(())
/// })?;
/// # }
/// # Ok::<(), callhome::Error>(())
/// ```
///
/// # Panics
///
/// If something has connected.
#[track_caller]
pub fn assert_no_network<T>(work: impl FnOnce(&str) -> T) -> T {
    let listener = bind();
    let address = listener.local_addr().expect("a bound port");
    let watch = thread::spawn(move || {
        let mut came = Vec::new();
        for mut stream in listener.incoming().flatten() {
            // One that connects and says nothing has connected all the same.
            let _ = stream.set_read_timeout(Some(SOON));
            let line = Request::read(&stream).map_or("nothing".to_owned(), |request| request.line);
            if line == END {
                break;
            }
            came.push(line);
            Answer::status(204).give(&mut stream);
        }
        came
    });
    let result = work(&format!("http://{address}/"));
    // Connections are accepted in the order in which they were made: this is the last.
    let mut last = TcpStream::connect(address).expect("the kit's own connection");
    last.write_all(format!("{END}\r\n\r\n").as_bytes()).expect("the kit's own connection");
    let came = watch.join().expect("the kit's own thread");
    assert!(came.is_empty(), "these came over the network: {came:#?}");
    result
}

// unzstd.rs - the crate zstd: FILE, to stdout.
use std::{env, fs::File, io};

fn main() -> io::Result<()> {
    let name = env::args().nth(1).unwrap();
    io::copy(&mut zstd::Decoder::new(File::open(name)?)?,
             &mut io::stdout().lock())?;
    Ok(())
}

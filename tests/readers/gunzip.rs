// gunzip.rs - the crate flate2: MODE FILE, to stdout.
use flate2::read::{GzDecoder, MultiGzDecoder};
use std::{env, fs::File, io};

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().collect();
    let file = File::open(&words[2])?;
    let mut out = io::stdout().lock();
    if words[1] == "first" {
        io::copy(&mut GzDecoder::new(file), &mut out)?;
    } else {
        io::copy(&mut MultiGzDecoder::new(file), &mut out)?;
    }
    Ok(())
}

//! Write the stubs of `protos/lotkeeper/v1`: `cargo run -p lotkeeper-stubs` puts them into `src/v1.rs`.
//!
//! Problem: stubs are committed, so that nobody needs a compiler of protos to build the crate, and committed output goes
//! stale. Chosen: one list of files in one fixed order, compiled by crates alone, into one file; then "stale" is a plain
//! comparison of two texts, which `cargo test` does.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

const HEAD: &str = "// Stubs of the contract, written by `cargo run -p lotkeeper-stubs` from `protos/lotkeeper/v1`; never edited by hand.\n\n";

fn main() -> Result<(), Box<dyn Error>> {
    fs::write(committed(), stubs()?)?;
    Ok(())
}

fn crate_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn committed() -> PathBuf {
    crate_folder().join("src").join("v1.rs")
}

/// The contract's files, in a fixed order.
fn sources(package: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files =
        fs::read_dir(package)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    Ok(files)
}

/// The text of the stubs as the contract is now.
fn stubs() -> Result<String, Box<dyn Error>> {
    let protos = crate_folder().join("../../protos");
    let mut compiler = protox::Compiler::new([&protos])?;
    compiler.include_imports(true).include_source_info(true);
    let contract = compiler.open_files(sources(&protos.join("lotkeeper/v1"))?)?.file_descriptor_set();
    let folder = env::temp_dir().join(format!("lotkeeper-stubs-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    tonic_prost_build::configure().build_server(false).btree_map(".").out_dir(&folder).compile_fds(contract)?;
    let written = fs::read_to_string(folder.join("lotkeeper.v1.rs"));
    fs::remove_dir_all(&folder)?;
    Ok(HEAD.to_owned() + &written?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The committed stubs are those of the contract as it is now.
    #[test]
    fn stubs_are_fresh() {
        let fresh = stubs().unwrap() == fs::read_to_string(committed()).unwrap();
        assert!(fresh, "src/v1.rs is not what the contract gives: cargo run -p lotkeeper-stubs");
    }
}

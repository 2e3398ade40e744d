//! The package beside the project that it is a part of.

use std::fs;

/// The version is that of the server, and the changelog has it.
#[test]
fn the_version_is_the_servers() {
    let server = fs::read_to_string("../../server/lotkeeperd/__init__.py").unwrap();
    let version = format!("\"{}\"", lotkeeper::VERSION);
    assert!(server.lines().any(|line| line.starts_with("__version__") && line.ends_with(&version)), "{version}");
    let changes = fs::read_to_string("CHANGELOG.md").unwrap();
    assert!(changes.contains(&format!("\n## {} ", lotkeeper::VERSION)));
}

/// The licence is the project's.
#[test]
fn the_licence_is_the_projects() {
    assert_eq!(fs::read("LICENSE").unwrap(), fs::read("../../LICENSE").unwrap());
}

//! A real sidecar in a process of its own, started by the command in LOTKEEPER_SERVER, such as `python -m lotkeeperd`.

#![allow(dead_code)] // each test file uses a part of it

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// One server with a ledger of its own, in a folder that goes with it.
pub struct Sidecar {
    command: Vec<String>,
    pub folder: PathBuf,
    pub database: PathBuf,
    pub address: String,
    child: Option<Child>,
}

impl Sidecar {
    /// A sidecar that is ready; `None` where LOTKEEPER_SERVER is not set, and the test is skipped. With
    /// LOTKEEPER_DEMAND_ALL=1 that is a failure.
    pub fn start() -> Option<Self> {
        Self::start_at("127.0.0.1:0")
    }

    /// The same at an address; `{folder}` in it is the sidecar's own.
    pub fn start_at(listen: &str) -> Option<Self> {
        let Ok(command) = env::var("LOTKEEPER_SERVER") else {
            let reason =
                "LOTKEEPER_SERVER is not set: pass the command that starts a server, such as python -m lotkeeperd";
            assert!(env::var("LOTKEEPER_DEMAND_ALL").as_deref() != Ok("1"), "{reason}");
            eprintln!("skipped: {reason}");
            return None;
        };
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("lotkeeper-rust-{}-{number}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut sidecar = Self {
            command: command.split_whitespace().map(str::to_owned).collect(),
            database: folder.join("ledger.db"),
            address: listen.replace("{folder}", folder.to_str().unwrap()),
            folder,
            child: None,
        };
        sidecar.start_again();
        Some(sidecar)
    }

    /// Start at the address it had, and wait until it is ready.
    pub fn start_again(&mut self) {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args(["serve", "--listen", &self.address, "--database"]).arg(&self.database);
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("LOTKEEPER_")) {
            command.env_remove(name);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("LOTKEEPER_SERVER starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready =
            line.strip_prefix("lotkeeper ready: listening on ").unwrap_or_else(|| panic!("not ready: {line:?}"));
        self.address = ready.split(',').next().unwrap().to_owned();
        self.child = Some(child);
    }

    /// SIGKILL, and wait.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGKILL, or SIGTERM, and wait.
    pub fn end(&mut self, kill: bool) {
        if let Some(child) = self.child.as_mut().filter(|_| !kill) {
            let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
            assert!(asked.success());
            child.wait().unwrap();
            self.child = None;
        }
        self.kill();
    }

    /// SIGKILL, and there again with the same ledger.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

//! Which server a scenario runs against: the one at an address, or those that a harness gives by lines of JSON.

use std::io::{Write, stdin, stdout};

use serde_json::{Map, Value, json};

/// Gives the address of a server; an error is the reason that a scenario is skipped for.
pub enum Servers {
    /// A server that is there, whose settings are not known and that nobody here may restart.
    At(String),
    /// Asks whoever started this process: a line out, a line in.
    Harness,
}

impl Servers {
    /// Whether a scenario that restarts its server can run at all.
    pub fn can_restart(&self) -> bool {
        matches!(self, Servers::Harness)
    }

    /// The address of one with these settings.
    pub async fn serving(&mut self, settings: &Map<String, Value>) -> Result<String, String> {
        match self {
            Servers::At(address) if settings.is_empty() => Ok(address.clone()),
            Servers::At(_) => {
                let needed: Vec<_> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
                Err(format!("needs a server started with {}: run it with a harness", needed.join(", ")))
            }
            Servers::Harness => asked(json!({"do": "server", "settings": settings})).await,
        }
    }

    /// The address of the last one after it was killed or stopped and started again.
    pub async fn restarted(&mut self, how: &str) -> Result<String, String> {
        match self {
            Servers::At(_) => Err(format!("needs a server that can be restarted ({how}): run it with a harness")),
            Servers::Harness => asked(json!({"do": "restart", "how": how})).await,
        }
    }
}

async fn asked(request: Value) -> Result<String, String> {
    // Beside the runtime: streams go on being read while the harness starts a server.
    let answer = tokio::task::spawn_blocking(move || {
        // A request is told by how its line begins.
        let words = request.to_string();
        assert!(words.starts_with("{\"do\":"), "keys in alphabetical order: {words}");
        println!("{words}");
        stdout().flush()?;
        let mut line = String::new();
        stdin().read_line(&mut line)?;
        std::io::Result::Ok(line)
    });
    let line = answer.await.map_err(|failed| failed.to_string())?.map_err(|failed| failed.to_string())?;
    let answer: Value = serde_json::from_str(&line).map_err(|_| "the harness has gone".to_owned())?;
    match (answer["address"].as_str(), answer["error"].as_str()) {
        (_, Some(error)) => Err(error.to_owned()),
        (Some(address), None) => Ok(address.to_owned()),
        (None, None) => Err(format!("the harness answered {line}")),
    }
}

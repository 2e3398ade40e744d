//! What `$name` stands for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxyz"; // no vowels: PERP or USD in a symbol would be read as a contract
const LENGTH: usize = 6;

pub type Names = BTreeMap<String, Value>;

/// The names that one execution of a scenario begins with.
pub fn fresh() -> Names {
    let run: String = (0..LENGTH).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())])).collect();
    let capitals = run.to_uppercase();
    let given = [
        ("portfolio", format!("c-{run}")),
        ("A", format!("{capitals}-A")),
        ("B", format!("{capitals}-B")),
        ("RUN", capitals),
        ("run", run),
    ];
    given.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        found.push(Piece::Text(&rest[..at]));
        let after = &rest[at + 1..];
        let length = |name: &str| name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let starts = |name: &str| name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let braced = after.strip_prefix('{').filter(|name| starts(name) && name[length(name)..].starts_with('}'));
        let (piece, used) = match braced {
            Some(name) => (Piece::Name(&name[..length(name)]), length(name) + 2),
            None if after.starts_with('$') => (Piece::Text("$"), 1),
            None if starts(after) => (Piece::Name(&after[..length(after)]), length(after)),
            None => (Piece::Text("$"), 0),
        };
        found.push(piece);
        rest = &after[used..];
    }
    found.push(Piece::Text(rest));
    found.retain(|piece| !matches!(piece, Piece::Text("")));
    found
}

/// The names in `value`, at any depth.
pub fn used(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => found.extend(pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.to_owned()),
            Piece::Text(_) => None,
        })),
        Value::Array(items) => items.iter().for_each(|item| used(item, found)),
        Value::Object(map) => {
            for (key, part) in map {
                used(&key.as_str().into(), found);
                used(part, found);
            }
        }
        _ => {}
    }
}

/// `value` with what its names stand for; the error is a name that no step has saved.
pub fn filled(value: &Value, names: &Names) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => filled_text(text, names)?,
        Value::Array(items) => items.iter().map(|item| filled(item, names)).collect::<Result<Vec<_>, _>>()?.into(),
        Value::Object(map) => {
            let mut made = serde_json::Map::new();
            for (key, part) in map {
                made.insert(shown(&filled_text(key, names)?), filled(part, names)?);
            }
            made.into()
        }
        other => other.clone(),
    })
}

fn filled_text(text: &str, names: &Names) -> Result<Value, String> {
    let stands_for = |name: &str| names.get(name).ok_or(format!("${name}: no step before this one has saved it"));
    let pieces = pieces(text);
    if let [Piece::Name(name)] = pieces[..] {
        return stands_for(name).cloned();
    }
    let mut made = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => made.push_str(text),
            Piece::Name(name) => made.push_str(&shown(stands_for(name)?)),
        }
    }
    Ok(made.into())
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A lone name keeps its type, others are put into the text, and two dollars are one.
    #[test]
    fn names_are_filled_in() {
        let names = Names::from([("n".to_owned(), json!(7)), ("run".to_owned(), json!("bcd"))]);
        let filled = |text: &str| filled(&json!(text), &names);
        assert_eq!(filled("$n").unwrap(), json!(7));
        assert_eq!(filled("x-${run}y-$n").unwrap(), json!("x-bcdy-7"));
        assert_eq!(filled("$$n").unwrap(), json!("$n"));
        assert!(filled("$other").unwrap_err().contains("$other"));
    }
}

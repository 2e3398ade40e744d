//! Whether an answer is what a scenario expects: the first difference in words, or none.

use serde_json::{Map, Value};

use crate::names::Names;

/// As the last item of a list: more may follow.
pub const REST: &str = "...";
const MATCHERS: [&str; 3] = ["save", "greater", "contains"];

/// `{save: ...}` or another such map: its word and its value.
pub fn matcher(expected: &Value) -> Option<(&str, &Value)> {
    let map = expected.as_object().filter(|map| map.len() == 1)?;
    let (word, value) = map.iter().next()?;
    MATCHERS.contains(&word.as_str()).then_some((word, value))
}

/// The first difference; what `{save: NAME}` met is put into `saved`.
pub fn difference(expected: &Value, actual: Option<&Value>, place: &str, saved: &mut Names) -> Result<(), String> {
    let actual = actual.filter(|actual| !actual.is_null());
    if let Some((word, wanted)) = matcher(expected) {
        return matched(word, wanted, actual, place, saved);
    }
    match (expected, actual) {
        (Value::Null, None) => Ok(()),
        (Value::Null, Some(_)) => Err(format!("{place}: expected it not to be set, got {}", shown(actual))),
        (Value::Object(wanted), Some(Value::Object(found))) => map_difference(wanted, found, place, saved),
        (Value::Array(wanted), Some(Value::Array(found))) => list_difference(wanted, found, place, saved),
        (Value::Number(wanted), Some(Value::String(found))) if wanted.to_string() == *found => Ok(()),
        (_, Some(found)) if expected == found => Ok(()),
        _ => Err(format!("{place}: expected {}, got {}", shown(Some(expected)), shown(actual))),
    }
}

fn matched(word: &str, wanted: &Value, actual: Option<&Value>, place: &str, saved: &mut Names) -> Result<(), String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Some(found) = actual.filter(|found| found.as_str() != Some("")) else {
        return Err(format!("{place}: expected a value, got {}", shown(actual)));
    };
    let (met, words) = match word {
        "save" => {
            saved.insert(text(wanted), found.clone());
            (true, String::new())
        }
        "contains" => (text(found).contains(&text(wanted)), format!("{} in it", shown(Some(wanted)))),
        _ => {
            let number = |value: &Value| text(value).parse::<i64>().ok();
            (number(found) > number(wanted) && number(wanted).is_some(), format!("more than {}", text(wanted)))
        }
    };
    if met { Ok(()) } else { Err(format!("{place}: expected {words}, got {}", shown(actual))) }
}

fn map_difference(
    wanted: &Map<String, Value>,
    found: &Map<String, Value>,
    place: &str,
    saved: &mut Names,
) -> Result<(), String> {
    wanted.iter().try_for_each(|(key, part)| difference(part, found.get(key), &format!("{place}.{key}"), saved))
}

fn list_difference(wanted: &[Value], found: &[Value], place: &str, saved: &mut Names) -> Result<(), String> {
    let (items, open) = match wanted.split_last() {
        Some((last, before)) if last == REST => (before, true),
        _ => (wanted, false),
    };
    if found.len() < items.len() || (found.len() > items.len() && !open) {
        let least = if open { "at least " } else { "" };
        let got = Value::from(found);
        return Err(format!("{place}: expected {least}{} items, got {}: {got}", items.len(), found.len()));
    }
    let pairs = items.iter().zip(found).enumerate();
    pairs.into_iter().try_for_each(|(n, (item, one))| difference(item, Some(one), &format!("{place}[{n}]"), saved))
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differs(expected: Value, actual: Value) -> Option<String> {
        difference(&expected, Some(&actual), "answer", &mut Names::new()).err()
    }

    /// What the page of the format says matches.
    #[test]
    fn what_matches() {
        for (expected, actual) in [
            (json!({"a": 1}), json!({"a": "1", "b": 2})),
            (json!([1, "..."]), json!([1, 2, 3])),
            (json!({"a": null}), json!({})),
            (json!({"greater": 3}), json!("4")),
            (json!({"contains": "ell"}), json!("hello")),
            (json!(true), json!(true)),
        ] {
            assert_eq!(differs(expected, actual), None);
        }
    }

    /// What it says does not.
    #[test]
    fn what_does_not_match() {
        for (expected, actual) in [
            (json!("1.0"), json!("1")),
            (json!([1]), json!([1, 2])),
            (json!({"a": null}), json!({"a": 0})),
            (json!({"greater": 4}), json!("4")),
            (json!({"save": "x"}), json!("")),
            (json!(1), json!(true)),
        ] {
            assert!(differs(expected.clone(), actual).is_some(), "{expected}");
        }
    }
}

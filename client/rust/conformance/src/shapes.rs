//! The contract as its descriptors tell it: which methods there are, and whether a request or an answer is of their shape.
//!
//! A misspelt field in an expected answer would match nothing, and one in a request would be a surprise at run time.
//! Therefore every field is looked up when a file is loaded.

use std::collections::BTreeSet;
use std::path::Path;

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, SerializeOptions,
};
use serde_json::Value;

use crate::matching::{REST, matcher};

const PACKAGE: &str = "lotkeeper.v1";

pub struct Contract {
    pool: DescriptorPool,
    pub reasons: BTreeSet<String>,
}

impl Contract {
    /// The contract of the project's `.proto` files.
    pub fn compiled() -> Result<Self, String> {
        let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../protos");
        let package = protos.join("lotkeeper/v1");
        let unreadable = |failed: std::io::Error| format!("{}: {failed}", package.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&package).map_err(unreadable)? {
            files.push(entry.map_err(unreadable)?.path());
        }
        files.sort();
        let set = protox::compile(files, [&protos]).map_err(|failed| failed.to_string())?;
        // By way of bytes: the two crates need not agree on a version of prost-types.
        let pool = DescriptorPool::decode(prost::Message::encode_to_vec(&set).as_slice())
            .map_err(|failed| failed.to_string())?;
        let reasons = pool.get_enum_by_name("lotkeeper.v1.ErrorReason").ok_or("the contract has no ErrorReason")?;
        let reasons =
            reasons.values().map(|value| value.name().trim_start_matches("ERROR_REASON_").to_owned()).collect();
        Ok(Self { pool, reasons })
    }

    /// An RPC by `Service.Method`.
    pub fn method(&self, name: &str) -> Option<MethodDescriptor> {
        let (service, method) = name.split_once('.')?;
        let service = self.pool.get_service_by_name(&format!("{PACKAGE}.{service}"))?;
        service.methods().find(|each| each.name() == method)
    }

    /// A message by its name in the contract.
    pub fn message(&self, name: &str) -> MessageDescriptor {
        self.pool.get_message_by_name(&format!("{PACKAGE}.{name}")).expect("a message of the contract")
    }
}

/// Bytes of a request that a scenario wrote as protobuf JSON.
pub fn encoded(message: MessageDescriptor, content: &Value) -> Result<Vec<u8>, String> {
    let parsed = DynamicMessage::deserialize(message, content).map_err(|failed| format!("request: {failed}"))?;
    Ok(prost::Message::encode_to_vec(&parsed))
}

/// A message as protobuf JSON with the names of the `.proto` files and every field that has no presence.
pub fn written(message: MessageDescriptor, bytes: &[u8]) -> Value {
    let parsed = DynamicMessage::decode(message, bytes).expect("a message of the client's own stubs");
    let options = SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false);
    parsed.serialize_with_options(serde_json::value::Serializer, &options).expect("a message is JSON")
}

/// What does not fit into `message`, in words; in an answer matchers may stand anywhere.
pub fn fits(message: &MessageDescriptor, value: &Value, place: &str, answer: bool) -> Result<(), String> {
    if answer && (value.is_null() || matcher(value).is_some()) {
        return Ok(());
    }
    if ["google.protobuf.Timestamp", "google.protobuf.Duration"].contains(&message.full_name()) {
        return require(value.is_string(), place, value, "a string in quotes");
    }
    let Some(map) = value.as_object() else {
        return require(false, place, value, &format!("a map of the fields of {}", message.name()));
    };
    for (name, part) in map {
        let place = format!("{place}.{name}");
        let Some(field) = message.get_field_by_name(name) else {
            let known: Vec<_> = message.fields().map(|field| field.name().to_owned()).collect();
            return Err(format!("{place}: {} has no such field; it has {}", message.name(), known.join(", ")));
        };
        field_fits(&field, part, &place, answer)?;
    }
    Ok(())
}

fn field_fits(field: &FieldDescriptor, value: &Value, place: &str, answer: bool) -> Result<(), String> {
    if answer && (value.is_null() || matcher(value).is_some()) {
        return Ok(());
    }
    if field.is_map() {
        return require(value.is_object(), place, value, "a map");
    }
    if !field.is_list() {
        return item_fits(field, value, place, answer);
    }
    let Some(items) = value.as_array() else { return require(false, place, value, "a list") };
    let open = answer && items.last().is_some_and(|last| last == REST);
    let items = &items[..items.len() - usize::from(open)];
    items.iter().enumerate().try_for_each(|(n, item)| item_fits(field, item, &format!("{place}[{n}]"), answer))
}

fn item_fits(field: &FieldDescriptor, value: &Value, place: &str, answer: bool) -> Result<(), String> {
    let kind = field.kind();
    if let Kind::Message(message) = &kind {
        return fits(message, value, place, answer);
    }
    if (answer && matcher(value).is_some()) || value.as_str().is_some_and(|text| text.contains('$')) {
        return Ok(());
    }
    match kind {
        Kind::Enum(known) => {
            let names: Vec<_> = known.values().map(|value| value.name().to_owned()).collect();
            let one = value.as_str().is_some_and(|name| names.iter().any(|known| known == name));
            require(one, place, value, &format!("one of {}", names.join(", ")))
        }
        Kind::Bool => require(value.is_boolean(), place, value, "true or false"),
        Kind::String => require(value.is_string(), place, value, "a string in quotes"),
        _ => require(value.is_i64(), place, value, "a whole number"),
    }
}

fn require(met: bool, place: &str, value: &Value, rule: &str) -> Result<(), String> {
    if met { Ok(()) } else { Err(format!("{place}: {value}: {rule} is required")) }
}

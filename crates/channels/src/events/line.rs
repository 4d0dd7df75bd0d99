//! One line: from JSON text to an event, or to the error that says which key is wrong.

use serde_json::{Map, Value};
use thalweg_domain::{CustomerKey, Error, Result, Timestamp};

use super::{Event, EventKind};

type Object = Map<String, Value>;

pub(super) fn parse(text: &str, line: u64) -> Result<Event> {
    let object: Object = serde_json::from_str(text).map_err(|error| {
        Error::new("TW0701", "not a JSON object")
            .hint("every line must be one complete JSON object")
            .cause(error)
    })?;
    let kind = kind(&object)?;
    let properties = properties(&object, kind)?;
    Ok(Event {
        line,
        message_id: message_id(&object)?,
        kind,
        user: user(&object)?,
        anonymous_id: text_at(&object, "anonymousId"),
        occurred_at: occurred_at(&object)?,
        name: name(&object, kind)?,
        decision_id: decision_id(&properties)?,
        properties: Value::Object(properties).to_string(),
    })
}

/// Text that is not empty; a whole number counts as text, since many keys are numbers.
fn text_at(object: &Object, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

fn kind(object: &Object) -> Result<EventKind> {
    let list = EventKind::ALL.map(EventKind::as_str).join(", ");
    let Some(name) = text_at(object, "type") else {
        return Err(
            Error::new("TW0705", "the event has no \"type\"").hint(format!("set it to one of {list}"))
        );
    };
    EventKind::from_name(&name).ok_or_else(|| {
        Error::new("TW0705", format!("unknown type \"{name}\"")).hint(format!("use one of {list}"))
    })
}

fn message_id(object: &Object) -> Result<String> {
    text_at(object, "messageId").ok_or_else(|| {
        Error::new("TW0702", "the event has no \"messageId\"")
            .hint("let the sender set one per event: without it a duplicate would count twice")
    })
}

fn user(object: &Object) -> Result<CustomerKey> {
    let hint = if object.contains_key("anonymousId") {
        "an anonymous event cannot be joined to a customer: leave it out, or set userId to the customer's key"
    } else {
        "set userId to the customer's key"
    };
    let missing = || Error::new("TW0703", "the event has no \"userId\"").hint(hint);
    CustomerKey::new(text_at(object, "userId").ok_or_else(missing)?)
}

fn occurred_at(object: &Object) -> Result<Timestamp> {
    const HINT: &str = "write it with its offset, as 2026-03-01T09:30:00Z";
    let Some(text) = text_at(object, "timestamp") else {
        return Err(Error::new("TW0704", "the event has no \"timestamp\"").hint(HINT));
    };
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => Ok(Timestamp(time.as_microsecond())),
        Err(error) => Err(Error::new("TW0704", format!("\"{text}\" is not a timestamp"))
            .hint(HINT)
            .cause(error)),
    }
}

fn name(object: &Object, kind: EventKind) -> Result<Option<String>> {
    let name = text_at(object, if kind == EventKind::Track { "event" } else { "name" });
    if kind == EventKind::Track && name.is_none() {
        return Err(Error::new("TW0706", "a track event needs \"event\"")
            .hint("add its name, such as \"event\": \"Subscription Cancelled\""));
    }
    Ok(name)
}

fn properties(object: &Object, kind: EventKind) -> Result<Object> {
    let key = if matches!(kind, EventKind::Identify | EventKind::Group) {
        "traits"
    } else {
        "properties"
    };
    match object.get(key) {
        None | Some(Value::Null) => Ok(Object::new()),
        Some(Value::Object(properties)) => Ok(properties.clone()),
        Some(_) => Err(Error::new("TW0708", format!("\"{key}\" is not an object"))
            .hint(format!("write \"{key}\": {{\"…\": \"…\"}}, or leave it out"))),
    }
}

fn decision_id(properties: &Object) -> Result<Option<String>> {
    match properties.get("decision_id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) if !id.is_empty() => Ok(Some(id.clone())),
        Some(_) => Err(
            Error::new("TW0708", "\"properties.decision_id\" is not a decision's name")
                .hint("send back the decision_id from the delivery as it is, as text, or leave it out"),
        ),
    }
}

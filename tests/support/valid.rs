//! What a JSON Schema says of documents, and the places in them where one can be changed.

use jsonschema::Validator;
use serde_json::Value;

/// The validator of a contract, which is a JSON Schema itself; formats are held to.
pub(crate) fn validator(contract: &str) -> Validator {
    let contract: Value = serde_json::from_str(contract).unwrap();
    assert!(jsonschema::meta::is_valid(&contract), "{contract}");
    jsonschema::options().should_validate_formats(true).build(&contract).unwrap()
}

/// What is wrong with a document.
pub(crate) fn fault(valid: &Validator, document: &Value) -> Result<(), String> {
    let fault = |error: jsonschema::ValidationError<'_>| {
        format!("{error} at {} in {document}", error.instance_path())
    };
    valid.validate(document).map_err(fault)
}

/// The objects of a document, as the paths to them.
pub(crate) fn objects(value: &Value, path: &str, found: &mut Vec<String>) {
    if let Value::Array(values) = value {
        for (at, value) in values.iter().enumerate() {
            objects(value, &format!("{path}/{at}"), found);
        }
    }
    if let Value::Object(members) = value {
        found.push(path.to_owned());
        for (name, value) in members {
            let name = name.replace('~', "~0").replace('/', "~1");
            objects(value, &format!("{path}/{name}"), found);
        }
    }
}

/// The document with one more member in the object at `path`.
pub(crate) fn with_more(document: &Value, path: &str) -> Value {
    let mut more = document.clone();
    let object = more.pointer_mut(path).and_then(Value::as_object_mut).unwrap();
    object.insert("undeclared".to_owned(), 1.into());
    more
}

/// The document without the first member of the object at `path`, if it has any.
pub(crate) fn with_fewer(document: &Value, path: &str) -> Option<Value> {
    let mut fewer = document.clone();
    let object = fewer.pointer_mut(path).and_then(Value::as_object_mut).unwrap();
    let name = object.keys().next().cloned()?;
    object.remove(&name);
    Some(fewer)
}

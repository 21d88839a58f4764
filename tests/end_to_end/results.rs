//! `results.jsonl` and its published schema, `docs/results.schema.json`.

use jsonschema::Validator;
use serde_json::Value;

use crate::support::Home;

/// The schema, in which every object has only the properties that it names: a property that is
/// written and not published is an error.
fn closed_schema() -> Validator {
    let mut schema: Value =
        serde_json::from_str(include_str!("../../docs/results.schema.json")).unwrap();
    let definitions = schema["$defs"].as_object_mut().unwrap();
    definitions.values_mut().for_each(close);
    jsonschema::validator_for(&schema).unwrap()
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.get("properties").is_some_and(Value::is_object)
                && object.get("type") == Some(&"object".into())
            {
                object.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn every_line_of_a_run_conforms_to_the_schema() {
    let home = Home::new();
    let ran = home.run(&["demo", "--out", "demo"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let schema = closed_schema();
    let results = home.read("demo/results.jsonl");
    assert!(results.lines().count() > 5);
    for line in results.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let errors: Vec<String> = schema.iter_errors(&row).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
}

#[test]
fn schema_refuses_other_lines() {
    let schema = closed_schema();
    let summary = r#"{"type":"summary","schema":2,"vthost":"0.1.0","bad":0,"good":0,"unknown":0,
        "unknown_by":{},"with_secrets":0,"inputs":[],"not_read":[],"not_indicators":[]}"#;
    let check = |text: &str, expected| {
        let row: Value = serde_json::from_str(text).unwrap();
        assert_eq!(schema.is_valid(&row), expected, "{text}");
    };
    check(summary, true);
    check(&summary.replace("\"schema\":2", "\"schema\":1"), false);
    check(&summary.replace("\"bad\":0", "\"bad\":-1"), false);
    check(&summary.replace("\"bad\":0", "\"bad\":0,\"new\":0"), false);
    check(r#"{"type":"indicator"}"#, false);
}

//! The document against the router, and against the rules of its own format.

use std::collections::BTreeSet;

use super::*;

/// Every address and method that a router serves, as it tells of itself.
fn served(router: &Router<Desk>) -> BTreeSet<(String, String)> {
    let told = format!("{router:?}");
    let (told, _) = told.split_once("fallback_router").expect("what is served nowhere is apart");
    let (routes, paths) = told.split_once("node: Node").expect("a router tells its routes");
    let mut found = BTreeSet::new();
    for named in paths.split("RouteId(").skip(1) {
        let Some((id, path)) = named.split_once("): \"") else { continue };
        let (path, _) = path.split_once('"').expect("a path ends");
        let route = routes.split(&format!("RouteId({id}): ")).nth(1).expect("its route");
        let (_, allowed) = route.split_once("allow_header: Bytes(b\"").expect("its methods");
        let (methods, _) = allowed.split_once('"').expect("they end");
        for method in methods.split(',').filter(|method| *method != "HEAD") {
            found.insert((path.to_owned(), method.to_lowercase()));
        }
    }
    found
}

fn documented() -> BTreeSet<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    let each = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("methods").keys();
        methods.map(|method| (path.clone(), method.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(each).collect()
}

#[test]
fn every_route_is_in_the_document_and_nothing_else() {
    let router = super::super::for_users()
        .merge(super::super::for_operators())
        .merge(super::super::approvals::patient_routes())
        .merge(super::super::settings::patient_routes());
    let (served, documented) = (served(&router), documented());
    assert!(served.len() > 50, "{served:?}");
    let missing: Vec<_> = served.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&served).collect();
    assert!(missing.is_empty(), "served and not documented: {missing:?}");
    assert!(invented.is_empty(), "documented and not served: {invented:?}");
}

/// Every place that a `$ref` names.
fn references(of: &Value, found: &mut BTreeSet<String>) {
    match of {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(place) if name == "$ref" => {
                        found.insert(place.to_owned());
                    }
                    Some(_) | None => references(value, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| references(one, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn what_is_named_is_there_and_what_is_there_is_a_schema() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for place in &found {
        let pointer = place.strip_prefix('#').expect("nothing is elsewhere");
        assert!(document.pointer(pointer).is_some(), "{place} is nowhere");
    }
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let mut ids = BTreeSet::new();
    for methods in document["paths"].as_object().expect("paths").values() {
        for operation in methods.as_object().expect("methods").values() {
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
        }
    }
}

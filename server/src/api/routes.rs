//! The router and its OpenAPI document, made together.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use kfold_inference::remote::protocol::Refusal;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::service::Service;
use crate::token::Scope;

/// The body of an answer that is no JSON.
#[derive(Clone, Copy)]
pub(super) enum Body {
    None,
    Other(&'static str),
}

type Schema = Box<dyn Fn(&mut SchemaGenerator) -> Value>;

/// Status, description, and the body's kind and schema where there is one.
type Answer = (u16, &'static str, Option<(&'static str, Schema)>);

/// An operation as the document describes it.
pub(super) struct Operation {
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    scope: Option<Scope>,
    parameters: Vec<Value>,
    query: Option<Schema>,
    form: Option<Value>,
    answers: Vec<Answer>,
}

impl Operation {
    pub fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            scope: None,
            parameters: Vec::new(),
            query: None,
            form: None,
            answers: Vec::new(),
        }
    }

    /// Wants a token of this scope.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self.refuses(401, "No valid token")
            .refuses(403, "The token lacks the scope")
            .refuses(429, "Too many requests, or a queue is full")
    }

    pub fn path(mut self, name: &str, description: &str) -> Self {
        let schema = if name == "job" {
            json!({"type": "string", "pattern": "^[0-9a-f]{32}$"})
        } else {
            json!({"type": "string", "minLength": 1})
        };
        self.parameters
            .push(json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema}));
        let has_404 = self.answers.iter().any(|(status, ..)| *status == 404);
        if has_404 { self } else { self.refuses(404, "There is no such job or file for this token") }
    }

    pub fn header(mut self, name: &str, description: &str, pattern: Option<&str>) -> Self {
        let mut schema = json!({"type": "string"});
        if let Some(pattern) = pattern {
            schema["pattern"] = json!(pattern);
        }
        self.parameters.push(
            json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema}),
        );
        self
    }

    /// Takes the fields of `T` as parameters of the query.
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(Box::new(|generator: &mut SchemaGenerator| T::json_schema(generator).to_value()));
        self.refuses(422, "A parameter is wrong")
    }

    /// Takes a form with files.
    pub fn takes(mut self, form: Value) -> Self {
        self.form = Some(form);
        self
    }

    pub fn answers<T: JsonSchema>(mut self, status: u16, description: &'static str) -> Self {
        let schema: Schema = Box::new(|generator: &mut SchemaGenerator| generator.subschema_for::<T>().to_value());
        self.answers.push((status, description, Some(("application/json", schema))));
        self
    }

    pub fn answers_with(mut self, status: u16, description: &'static str, body: Body) -> Self {
        let body = match body {
            Body::None => None,
            Body::Other(kind) => {
                let schema: Schema = Box::new(|_: &mut SchemaGenerator| json!({"type": "string"}));
                Some((kind, schema))
            }
        };
        self.answers.push((status, description, body));
        self
    }

    pub fn refuses(self, status: u16, description: &'static str) -> Self {
        self.answers::<Refusal>(status, description)
    }
}

/// The operations so far.
pub(super) struct Routes {
    router: Router<Arc<Service>>,
    generator: SchemaGenerator,
    paths: Map<String, Value>,
}

impl Routes {
    pub fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self { router: Router::new(), generator: settings.into_generator(), paths: Map::new() }
    }

    /// Adds an operation to the router and to the document.
    pub fn add<H, T>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Arc<Service>>,
        T: 'static,
    {
        // Every method in use is known to the filter.
        let filter = MethodFilter::try_from(operation.method.clone()).unwrap_or(MethodFilter::GET);
        self.router = self.router.route(operation.path, on(filter, handler));
        let mut parameters = operation.parameters;
        if let Some(query) = operation.query {
            parameters.extend(query_parameters(&query(&mut self.generator)));
        }
        let mut responses = Map::new();
        for (status, description, body) in operation.answers {
            let mut response = json!({"description": description});
            if let Some((kind, schema)) = body {
                response["content"] = json!({kind: {"schema": schema(&mut self.generator)}});
            }
            responses.insert(status.to_string(), response);
        }
        let mut description = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "parameters": parameters,
            "responses": responses,
        });
        if let Some(scope) = operation.scope {
            description["security"] = json!([{"token": []}]);
            description["description"] = json!(format!("Needs a token with the scope `{scope}`."));
        }
        if let Some(form) = operation.form {
            description["requestBody"] = json!({"required": true, "content": form});
        }
        let path = operation.path.replace("{*", "{");
        let of_path = self.paths.entry(path).or_insert_with(|| json!({}));
        of_path[operation.method.as_str().to_lowercase()] = description;
        self
    }

    /// The router and the document.
    pub fn finish(mut self) -> (Router<Arc<Service>>, Value) {
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "K-Fold Studio server",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Predictions as jobs: submit a query, follow it, fetch its outputs.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": self.paths,
            "components": {
                "schemas": self.generator.take_definitions(true),
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        });
        (self.router, document)
    }
}

fn query_parameters(schema: &Value) -> Vec<Value> {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, mut schema): (String, Value)| {
        // Left out instead of null.
        if let Some(Value::Array(kinds)) = schema.get("type").cloned() {
            schema["type"] = kinds.into_iter().find(|kind| kind != "null").unwrap_or_default();
        }
        if let Some(Value::Array(choices)) = schema.get("anyOf").cloned() {
            schema["anyOf"] = choices.into_iter().filter(|choice| choice["type"] != "null").collect();
        }
        let description = schema["description"].clone();
        json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema})
    };
    properties.into_iter().map(parameter).collect()
}

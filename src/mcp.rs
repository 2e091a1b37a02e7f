//! The server as agents see it: tools, resources and a guide of the Model Context Protocol, all of
//! them over our own API, so that keys, accounts, policies and orders that are carried out once
//! hold for agents as for everybody. Knows no call, only the JSON that the API takes and gives.

pub mod api;
pub mod guide;

mod errand;
mod tools;
mod trouble;

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::request::Parts;
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, Implementation,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Map, Value};

use crate::store::SOON_FORGOTTEN;
use api::Api;
use errand::Errand;
use guide::Topic;
use trouble::Trouble;

/// The address of a call as a resource begins so.
const CALL: &str = "call://";

/// The address of a part of the guide as a resource begins so.
const GUIDE: &str = "guide://";

/// What agents are served with.
#[derive(Clone)]
pub struct Face {
    api: Arc<dyn Api>,
    /// Tells the requests of this connection from those of others that have the same number; empty
    /// where every request is on its own.
    connection: String,
}

impl Face {
    /// Serves agents over this way to the API.
    pub fn new(api: Arc<dyn Api>, connection: String) -> Self {
        Self { api, connection }
    }

    fn errand<'a>(
        &'a self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &'a RequestContext<RoleServer>,
    ) -> Errand<'a> {
        let caller = context.extensions.get::<Parts>();
        let order = [
            self.connection.as_str(),
            &context.id.to_string(),
            name,
            &serde_json::to_string(arguments).unwrap_or_default(),
        ];
        // Where every request is on its own, their small numbers come again all the time.
        let kind = if self.connection.is_empty() { SOON_FORGOTTEN } else { "" };
        Errand {
            api: &*self.api,
            caller: caller.map_or_else(HeaderMap::new, |parts| api::who(&parts.headers)),
            order: format!("{kind}{}", crate::store::hex_digest(&order)),
            context,
        }
    }
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        let offers = ServerCapabilities::builder().enable_tools().enable_resources().build();
        let name = Implementation::new("tandem", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(offers).with_server_info(name).with_instructions(guide::IN_SHORT)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all().to_vec()))
    }

    async fn call_tool(
        &self,
        asked: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = asked.arguments.unwrap_or_default();
        let errand = self.errand(&asked.name, &arguments, &context);
        let done = tools::run(&errand, &asked.name, arguments).await;
        Ok(done.map_or_else(Trouble::told, CallToolResult::structured).into())
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let part = |topic: &Topic| {
            Resource::new(format!("{GUIDE}{}", topic.word()), topic.word())
                .with_description(topic.about())
                .with_mime_type("text/markdown")
        };
        Ok(ListResourcesResult::with_all_items(Topic::ALL.iter().map(part).collect()))
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let call = ResourceTemplate::new(format!("{CALL}{{id}}"), "call")
            .with_description("A call with its last words, as get_call tells it.")
            .with_mime_type("application/json");
        Ok(ListResourceTemplatesResult::with_all_items(vec![call]))
    }

    async fn read_resource(
        &self,
        asked: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = asked.uri;
        let contents = if let Some(id) = uri.strip_prefix(CALL) {
            let errand = self.errand("call", &Map::new(), &context);
            let call = tools::calls::shown(&errand, id).await;
            let call =
                call.map_err(|trouble| ErrorData::resource_not_found(trouble.to_string(), None))?;
            let text = serde_json::to_string(&call).unwrap_or_default();
            ResourceContents::text(text, uri).with_mime_type("application/json")
        } else {
            let named = uri.strip_prefix(GUIDE).and_then(Topic::named);
            let topic = named.ok_or_else(|| {
                let detail =
                    format!("there are {CALL}ID and {GUIDE}TOPIC; resources/list names the topics");
                ErrorData::resource_not_found(detail, None)
            })?;
            ResourceContents::text(topic.text(), uri).with_mime_type("text/markdown")
        };
        Ok(ReadResourceResult::new(vec![contents]).into())
    }
}

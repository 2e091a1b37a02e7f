//! Whole calls on real sockets: the server, a simulated phone network and a simulated model.
#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a story looks for what it wants")]

mod acs_stage;
mod stage;

mod acs;
mod acs_door;
mod acs_entra;
mod acs_handover;
mod acs_network;
mod acs_recording;
mod aftermath;
mod agent;
mod api;
mod approvals;
mod asterisk_network;
mod barge_in;
mod campaigns;
mod clawcall;
mod command_line;
mod conversation;
mod floor;
mod handover;
mod hold;
mod inbound;
mod lesson;
mod listen;
mod mcp;
mod menu;
mod model_failover;
mod model_limits;
mod model_lost;
mod not_answered;
mod openapi;
#[cfg(feature = "otlp")]
mod otlp;
mod own_tools;
mod parts_die;
mod policy;
mod privacy;
mod proactive;
mod process;
mod recording_consent;
mod refusal;
mod schedules;
mod search;
mod settings;
mod softphone;
mod submission;
mod twilio_network;
mod usage;
mod voicemail;
mod webhooks;

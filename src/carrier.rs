//! The carriers: each turns a vendor's media socket into a [`tandem_actors::carrier::Line`].
//! A vendor's name appears in its own folder and nowhere else.

pub mod acs;
pub mod asterisk;
pub mod convert;
pub mod softphone;
pub mod twilio;
pub mod watched;
mod wires;

#[cfg(test)]
pub(crate) mod told;

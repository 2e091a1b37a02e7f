//! The speech models: each turns a provider's socket into a [`tandem_actors::model::Line`].
//! A provider's name appears in its own folder and nowhere else.

pub mod openai;

//! Lambda authorizers, as API Gateway asks them and uses what they answer.

mod cache;
mod gateway;
mod policies;
mod reasons;
mod sequences;
mod settings;
mod shapes;
mod world;

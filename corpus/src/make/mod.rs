//! The authors' vocabulary: what a theme's file is written with. Nothing here decides, and nothing here asks the core.

pub mod callers;
pub mod keys;
pub mod theme;
pub mod token;
pub mod worlds;

pub use keys::Pair;
pub use theme::{Draft, NOTHING, Theme, nobody, who};
pub use token::{NOW, Token};

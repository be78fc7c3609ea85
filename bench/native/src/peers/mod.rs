//! What people use today, doing the same work as well as its documentation says.

pub(crate) mod aws_lc;
pub(crate) mod cedar;
pub(crate) mod jwt;

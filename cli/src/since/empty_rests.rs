//! A `{*rest}` may be nothing: `/app/{*rest}` has `/app/`.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Table, Version, Written, folders};

pub(super) const CHANGE: Change = Change {
    code: "empty_rests",
    version: Version::V0_2_0,
    direction: Direction::Looser,
    summary: "a route whose path ends in `{*rest}` has the path that ends at its slash",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[[route]]\npath = \"/app/{*rest}\"\nmethods = [\"GET\"]\npublic = true\n\
                    [[route]]\npath = \"/app/admin/{*rest}\"\nmethods = [\"GET\"]\n\
                    [[route]]\npath = \"/app/open/{*rest}\"\nmethods = [\"GET\"]\npublic = true\n\
                    [[route]]\npath = \"/files/{*rest}\"\nmethods = [\"GET\"]\n\
                    [[route]]\npath = \"/list/{*rest}\"\nmethods = [\"GET\"]\npublic = true\n\
                    [[route]]\npath = \"/list/\"\nmethods = [\"GET\"]\npublic = true\n",
        pointers: &["route[0].path", "route[2].path", "route[3].path"],
        unconcerned: "[[route]]\npath = \"/app/{page}\"\nmethods = [\"GET\"]\npublic = true\n",
    },
};

/// Every public route that gains a path, and every other one whose new path nobody had.
fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |(route, folder, wider): (Table<'_>, String, Option<String>)| {
        let is_public = folders::is_public(&route);
        if !is_public && wider.is_some() {
            return None;
        }
        let old = match wider {
            Some(wider) => format!("a request for `{folder}` is decided by the route for `{wider}`"),
            None => format!("a request for `{folder}` is answered with 404"),
        };
        let whom = if is_public { "anyone" } else { "whoever may use this route" };
        Some(Place {
            pointer: route.at("path"),
            old,
            new: format!("{whom} may request `{folder}`"),
            help: format!("if `{folder}` must stay closed, add a stricter route with that path"),
        })
    };
    folders::gained(written).into_iter().filter_map(place).collect()
}

//! `/app/admin/` belongs to `/app/admin/{*rest}`, and no longer to a wider route.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written, folders};

pub(super) const CHANGE: Change = Change {
    code: "covered_folders",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "the path that ends at the slash of a protected `{*rest}` is no longer decided by a wider route",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[[route]]\npath = \"/{a}/{*rest}\"\nmethods = [\"GET\"]\npublic = true\n\
                    [[route]]\npath = \"/app/admin/{*rest}\"\nmethods = [\"GET\"]\n\
                    [[route]]\npath = \"/app/other/{*rest}\"\nmethods = [\"PUT\"]\n",
        pointers: &["route[1].path"],
        unconcerned: "[[route]]\npath = \"/app/admin/{*rest}\"\nmethods = [\"GET\"]\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let gained = folders::gained(written).into_iter().filter(|(route, ..)| !folders::is_public(route));
    gained
        .filter_map(|(route, folder, wider)| {
            let wider = wider?;
            Some(Place {
                pointer: route.at("path"),
                old: format!("a request for `{folder}` is decided by the route for `{wider}`"),
                new: format!("a request for `{folder}` is decided by this route"),
                help: format!(
                    "if `{folder}` must stay as it was, add a route with that path and the wider route's rules"
                ),
            })
        })
        .collect()
}

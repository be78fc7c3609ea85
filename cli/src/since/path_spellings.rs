//! A request is refused if an origin may take its path for one of a stricter route's.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "path_spellings",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a request whose path differs in spelling alone from one of a stricter route is refused with `path_ambiguous`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: concat!(
            "[issuer.i]\nurl = \"https://i.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n",
            "token_use = \"access\"\npermissions = \"claims\"\n",
            "[origin.o]\nurl = \"https://o.example\"\nkey = \"O\"\n",
            "[[route]]\nname = \"admin\"\nmethods = [\"GET\"]\npath = \"/admin\"\norigin = \"o\"\nissuer = \"i\"\n",
            "[[route]]\nname = \"all\"\nmethods = [\"GET\"]\npath = \"/{*rest}\"\norigin = \"o\"\npublic = true\n",
        ),
        pointers: &["route[1].path"],
        unconcerned: concat!(
            "[issuer.i]\nurl = \"https://i.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n",
            "token_use = \"access\"\npermissions = \"claims\"\n",
            "[origin.o]\nurl = \"https://o.example\"\nkey = \"O\"\n",
            "[[route]]\nname = \"all\"\nmethods = [\"GET\"]\npath = \"/{*rest}\"\norigin = \"o\"\nissuer = \"i\"\n",
            "[[route]]\nname = \"health\"\nmethods = [\"GET\"]\npath = \"/health\"\norigin = \"o\"\npublic = true\n",
        ),
    },
};

/// Of a policy with faults nobody can tell which routes are stricter than others.
fn places(written: &Written<'_>) -> Vec<Place> {
    let Some(policy) = written.policy() else { return Vec::new() };
    let routes = policy.routes().iter().enumerate();
    routes
        .filter_map(|(index, route)| {
            let rivals: Vec<(&str, bool)> =
                policy.rivals(route).map(|(rival, needs_tail)| (rival.name(), needs_tail)).collect();
            let names: Vec<String> = rivals.iter().map(|(name, _)| format!("`{name}`")).collect();
            let names = match names.as_slice() {
                [] => return None,
                [one] => one.clone(),
                [first, .., last] if names.len() > 3 => format!("{first} … {last}"),
                several => several.join(", "),
            };
            let which = if rivals.iter().all(|(_, needs_tail)| *needs_tail) {
                "a path whose last segment is nothing but `%20` or an extension"
            } else {
                "a path that differs in case, a closing slash, `%20` or an extension alone"
            };
            Some(Place {
                pointer: format!("route[{index}].path"),
                old: format!("{which} from one of {names} is decided by this route"),
                new: "it is refused with 400 `path_ambiguous`".to_owned(),
                help: "nothing, unless callers need such paths; if the origin tells them apart, write `paths = \"exact\"` there"
                    .to_owned(),
            })
        })
        .collect()
}

//! Random queries that name a company: some plain, most with one oddity that some parser reads in its own way.

use crate::random::Chance;

/// Parameters that a rule reads.
pub const NAMES: [&str; 2] = ["company", "company_id"];

/// The company of a plain query, and one that parsers may read instead.
const COMPANY: &str = "1111";
const OTHER: &str = "2222";

/// Values that any parser reads in the same way.
const VALUES: [&str; 12] = [
    "1111",
    "2222",
    "a",
    "auth0%7Cx",
    "a%2Bb",
    "a%26b%3Dc",
    "100%25",
    "%257C",
    "caf%C3%A9",
    "a%40b",
    "a%20b",
    "%5Ba%5D%3d~",
];
/// Values that some parser does not.
const ODD_VALUES: [&str; 12] =
    ["", "11+11", "%FF", "%C3", "%ED%A0%80", "a@b", "a=b", "a]=2222", "a[]=2222", "%31", "a,b", "a:b/c"];
/// Pairs next to the parameter.
const OTHERS: [&str; 14] = [
    "page=2",
    "flag",
    "empty=",
    "a.b=1",
    "a-b=c%20d",
    "A_b=:@/!$*()",
    "x=1,2",
    "x=%2B%26company%3D2222",
    "x=a+b",
    "x=a=b",
    "company2=2222",
    "mycompany=2222",
    "x=[company]=2222",
    "x=%5D%3D2222",
];
/// Pairs that some parser reads as the parameter, or that break the query for it. `NAME` is its name.
const ODD_OTHERS: [&str; 30] = [
    "NAME=2222",
    "NAME",
    "NAME=",
    "NAME[]=2222",
    "NAME%5B%5D=2222",
    "NAME[0]=2222",
    "NAME[x]=2222",
    "[NAME]=2222",
    "%5BNAME%5D=2222",
    "NAME]=2222",
    "[NAME=2222",
    "+NAME=2222",
    "%20NAME=2222",
    "NAME+=2222",
    "NAME%00x=2222",
    "%00NAME=2222",
    "NAME.x=2222",
    "NAME.=2222",
    "NAME%2Ex=2222",
    "ids[]=1",
    "filter[x]=1",
    "x[NAME]=2222",
    "=2222",
    "",
    "x=%FF",
    "x=%C3%28",
    "%FF=1",
    "company.id=2222",
    "company-id=2222",
    "__proto__[NAME]=2222",
];

/// A random target in canonical form, if it happens to be in that form, and the name of the parameter.
pub fn random(chance: &mut Chance) -> (String, &'static str) {
    let name = chance.one(&NAMES);
    let mut pairs: Vec<String> = Vec::new();
    for _ in 0..chance.below(4) {
        pairs.push(chance.one(&OTHERS).to_owned());
    }
    let mut value = if chance.happens(50) { COMPANY } else { chance.one(&VALUES) };
    let mut path = "/orders".to_owned();
    let (mut before, mut separator) = (String::new(), "&");
    let mut key = name.to_owned();
    let mut extra = Vec::new();
    // Plain, with one oddity, rarely with two.
    let oddities = [0, 1, 1, 1, 2][chance.below(5)];
    for _ in 0..oddities {
        match chance.below(20) {
            0..=7 => extra.push(chance.one(&ODD_OTHERS).replace("NAME", name)),
            8..=10 => value = chance.one(&ODD_VALUES),
            11 => key = name.to_ascii_uppercase(),
            12 => key = name.replacen('c', "%63", 1),
            13 => separator = chance.one(&[";", "&&"]),
            14 => {
                before = chance.one(&["?", "&", "?NAME=2222&", "x=?NAME=2222&", "x=1;NAME=2222&"]).replace("NAME", name)
            }
            15 => path = chance.one(&["/a&NAME=2222", "/a&NAME=2222&b", "/a&b/NAME=2222"]).replace("NAME", name),
            16 => extra.push(format!("x=1;{name}={OTHER}")),
            17 => extra.push(format!("x=?{name}={OTHER}")),
            18 if chance.happens(25) => before = "a=1&".repeat(chance.one(&[97, 101, 1001])),
            _ => extra.push(chance.one(&OTHERS).to_owned()),
        }
    }
    if !chance.happens(3) {
        let place = chance.below(pairs.len() + 1);
        pairs.insert(place, format!("{key}={value}"));
    }
    for pair in extra {
        let place = chance.below(pairs.len() + 1);
        pairs.insert(place, pair);
    }
    (format!("{path}?{before}{}", pairs.join(separator)), name)
}

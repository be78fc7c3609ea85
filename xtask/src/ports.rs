//! The loopback ports of the local stack: one fixed block for each profile, so that `dev` and `test` can run side by side.

use std::net::TcpListener;

use anyhow::{Result, bail};
use serde_json::{Value, json};

/// Moves a whole block, for a machine on which one of its ports is taken for good.
pub(crate) const OFFSET_VARIABLE: &str = "POSTERN_PORT_OFFSET";

/// Before the first port of what is measured: above the stack's blocks.
const BENCH: u16 = 4200;
/// Before the first port of the frameworks: above what is measured.
const FRAMEWORKS: u16 = 4300;

/// Every port of one run of the stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    /// The Worker under `wrangler dev`.
    pub(crate) edge: u16,
    /// The Worker under plain workerd.
    pub(crate) plain_workerd: u16,
    /// The debugger of `wrangler dev`.
    pub(crate) inspector: u16,
    /// The local CloudFront.
    pub(crate) cloudfront: u16,
    /// The issuer of companies' tokens.
    pub(crate) partners: u16,
    /// The issuer of users' tokens.
    pub(crate) users: u16,
    /// The control API.
    pub(crate) control: u16,
    /// The page whose origin the policy names.
    pub(crate) page: u16,
    /// The page whose origin no policy names.
    pub(crate) stranger_page: u16,
    /// The line from the edge to the permissions service.
    pub(crate) permissions_relay: u16,
    /// The DynamoDB stand-in.
    pub(crate) dynamodb: u16,
    /// The line from the permissions service to the table.
    pub(crate) dynamodb_relay: u16,
    /// The line from the edge to the services.
    pub(crate) origins_relay: u16,
    /// The Lambda functions under `cargo lambda watch`.
    pub(crate) lambda: u16,
    /// What steers the local CloudFront.
    pub(crate) cloudfront_control: u16,
    /// The Secrets Manager stand-in.
    pub(crate) secrets: u16,
    /// Function URLs that want AWS's signature.
    pub(crate) function_url: u16,
    /// The user pool.
    pub(crate) pool: u16,
}

impl Ports {
    /// The block that starts at `offset` above the development profile's.
    pub(crate) fn block(offset: u16) -> Self {
        Self {
            edge: 8787 + offset,
            plain_workerd: 8788 + offset,
            inspector: 8789 + offset,
            cloudfront: 8790 + offset,
            partners: 4001 + offset,
            users: 4002 + offset,
            control: 4003 + offset,
            page: 4005 + offset,
            stranger_page: 4006 + offset,
            permissions_relay: 4007 + offset,
            dynamodb: 4008 + offset,
            dynamodb_relay: 4009 + offset,
            origins_relay: 4010 + offset,
            lambda: 4011 + offset,
            cloudfront_control: 4012 + offset,
            secrets: 4013 + offset,
            function_url: 4014 + offset,
            pool: 4015 + offset,
        }
    }

    /// The block of a profile, moved by what [`OFFSET_VARIABLE`] says.
    pub(crate) fn of(profile_offset: u16, moved_by: Option<&str>) -> Result<Self> {
        Ok(Self::block(profile_offset + offset(moved_by)?))
    }

    fn named(&self) -> [(&'static str, u16); 18] {
        [
            ("the Worker", self.edge),
            ("the Worker under plain workerd", self.plain_workerd),
            ("the Worker's inspector", self.inspector),
            ("the partners' issuer", self.partners),
            ("the users' issuer", self.users),
            ("the control API", self.control),
            ("the page", self.page),
            ("the stranger's page", self.stranger_page),
            ("the permissions relay", self.permissions_relay),
            ("DynamoDB's stand-in", self.dynamodb),
            ("the DynamoDB relay", self.dynamodb_relay),
            ("the origins relay", self.origins_relay),
            ("the Lambda functions", self.lambda),
            ("the local CloudFront", self.cloudfront),
            ("the local CloudFront's control", self.cloudfront_control),
            ("Secrets Manager's stand-in", self.secrets),
            ("the function URLs", self.function_url),
            ("the user pool", self.pool),
        ]
    }

    /// Fails with the name of the first port that another program holds.
    pub(crate) fn check_free(&self) -> Result<()> {
        self.named().into_iter().try_for_each(|(name, port)| check_free(name, port))
    }

    /// The ports that the issuers' process listens on, as its configuration names them.
    pub(crate) fn for_issuers(&self) -> Value {
        json!({
            "partners": self.partners,
            "users": self.users,
            "control": self.control,
            "page": self.page,
            "strangerPage": self.stranger_page,
        })
    }
}

/// Ports for what is measured, consecutive and none of them in use. The same in each run: the Worker has the
/// origin's and the issuer's built into it.
pub(crate) fn bench<const COUNT: usize>(names: [&str; COUNT], moved_by: Option<&str>) -> Result<[u16; COUNT]> {
    consecutive(BENCH, names, moved_by)
}

/// The same for the frameworks of the tests and what is in front of them, after the first `skipped` ports.
pub(crate) fn frameworks<const COUNT: usize>(
    names: [&str; COUNT],
    skipped: u16,
    moved_by: Option<&str>,
) -> Result<[u16; COUNT]> {
    consecutive(FRAMEWORKS + skipped, names, moved_by)
}

fn consecutive<const COUNT: usize>(before: u16, names: [&str; COUNT], moved_by: Option<&str>) -> Result<[u16; COUNT]> {
    let mut port = before + offset(moved_by)?;
    let ports = names.map(|name| {
        port += 1;
        (name, port)
    });
    ports.iter().try_for_each(|(name, port)| check_free(name, *port))?;
    Ok(ports.map(|(_, port)| port))
}

fn offset(moved_by: Option<&str>) -> Result<u16> {
    match moved_by {
        None | Some("") => Ok(0),
        Some(text) => match text.parse() {
            Ok(number) if number <= 40_000 => Ok(number),
            _ => bail!("{OFFSET_VARIABLE} must be a number up to 40000, not `{text}`"),
        },
    }
}

fn check_free(name: &str, port: u16) -> Result<()> {
    if TcpListener::bind(("127.0.0.1", port)).is_err() {
        bail!("{}", conflict(name, port));
    }
    Ok(())
}

/// A loopback URL without a trailing slash.
pub(crate) fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn conflict(name: &str, port: u16) -> String {
    format!(
        "port {port}, meant for {name}, is in use: end the program that holds it (another `cargo xtask dev` perhaps; \
         `ss -ltnp | grep {port}` or `lsof -i :{port}` names it), or move all ports with {OFFSET_VARIABLE}=1000"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn profiles_and_ports_do_not_overlap() {
        let ports: Vec<u16> =
            [0, 100].iter().flat_map(|offset| Ports::block(*offset).named().map(|(_, port)| port)).collect();
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), ports.len());
    }

    #[test]
    fn a_taken_port_is_named_with_the_mend() {
        let holder = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let taken = holder.local_addr().expect("its address").port();
        let ports = Ports { lambda: taken, ..Ports::block(20_000) };
        let message = ports.check_free().expect_err("the port is taken").to_string();
        assert!(message.contains(&taken.to_string()), "{message}");
        assert!(message.contains("the Lambda functions"), "{message}");
        assert!(message.contains(OFFSET_VARIABLE), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn measurements_have_ports_of_their_own() {
        let ports = bench(["one", "two", "three"], Some("20000")).expect("free ports");
        let stack: Vec<u16> =
            [20_000, 20_100].iter().flat_map(|offset| Ports::block(*offset).named().map(|(_, port)| port)).collect();
        assert!(ports.iter().all(|port| !stack.contains(port)), "{ports:?}");
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 3);
    }

    #[test]
    fn the_offset_is_read_strictly() {
        assert_eq!(Ports::of(100, None).expect("none").edge, 8887);
        assert_eq!(Ports::of(0, Some("1000")).expect("moved").edge, 9787);
        for bad in ["x", "-1", "40001"] {
            assert!(Ports::of(0, Some(bad)).is_err(), "{bad}");
        }
    }
}

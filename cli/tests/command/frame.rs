//! What all commands share: help, completions, formats, colours, exit codes.

use crate::support::{Scratch, example_with, output, postern, run};

const COMMANDS: [&[&str]; 22] = [
    &["check"],
    &["routes"],
    &["test"],
    &["explain"],
    &["diff"],
    &["decide"],
    &["keys"],
    &["keys", "seal"],
    &["keys", "check"],
    &["inspect"],
    &["assertion-key"],
    &["assertion-key", "new"],
    &["assertion-key", "rotate"],
    &["assertion-key", "trust"],
    &["permissions"],
    &["permissions", "get"],
    &["permissions", "set"],
    &["permissions", "revoke"],
    &["permissions", "import"],
    &["permissions", "list"],
    &["schema"],
    &["completions"],
];

#[test]
fn every_command_has_help_with_an_example() {
    for command in COMMANDS {
        let help = run(&[command, &["--help"]].concat());
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{command:?}");
        assert!(help.out.contains("Usage: postern"), "{command:?}: {}", help.out);
        assert!(help.out.contains("Example"), "{command:?}: {}", help.out);
    }
    let help = run(&["--help"]).out;
    assert!(help.contains("Exit codes:\n  0  done"), "{help}");
}

#[test]
fn completions_are_those_of_the_shell_that_is_named() {
    for (shell, says) in [
        ("bash", "complete -F _postern"),
        ("zsh", "#compdef postern"),
        ("fish", "complete -c postern"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let completions = run(&["completions", shell]);
        assert_eq!(completions.code, 0, "{completions:?}");
        assert!(completions.out.contains(says) && completions.out.contains("explain"), "{shell}");
    }
    assert_eq!(run(&["completions", "nutshell"]).code, 2);
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let scratch = Scratch::new();
    let faulty = scratch.file("faulty.toml", &example_with("issuer = \"partners\"", "issuer = \"partner\""));
    let escapes = |args: &[&str], env: &[(&str, &str)]| {
        let told = output(postern(args).envs(env.iter().copied()).write_stdin(""));
        (told.out.contains('\u{1b}'), told.err.contains('\u{1b}'))
    };
    // Neither stream is a terminal here.
    assert_eq!(escapes(&["check", &faulty], &[]), (false, false));
    assert_eq!(escapes(&["check", &faulty, "--color", "always"], &[]), (false, true));
    assert_eq!(escapes(&["check", &faulty], &[("CLICOLOR_FORCE", "1")]), (false, true));
    assert_eq!(escapes(&["check", &faulty, "--color", "never"], &[("CLICOLOR_FORCE", "1")]), (false, false));
    assert_eq!(escapes(&["check", &faulty], &[("NO_COLOR", "1")]), (false, false));
    assert_eq!(escapes(&["routes", "--color", "always"], &[]), (true, false));
    assert_eq!(escapes(&["explain", "/health", "--color=always"], &[]), (true, false));
    assert_eq!(escapes(&["test", "--color", "always"], &[]), (true, false));
    // JSON is for programs.
    assert_eq!(escapes(&["routes", "--format", "json", "--color", "always"], &[]), (false, false));
    // Messages about the arguments themselves follow too.
    assert_eq!(escapes(&["rutes", "--color", "always"], &[]), (false, true));
    assert_eq!(escapes(&["rutes", "--color", "never"], &[("CLICOLOR_FORCE", "1")]), (false, false));
}

#[test]
fn every_command_that_takes_a_policy_says_what_is_wrong_with_it() {
    let scratch = Scratch::new();
    let faulty = scratch.file("faulty.toml", &example_with("issuer = \"partners\"", "issuer = \"partner\""));
    for args in [
        vec!["check", &faulty],
        vec!["routes", &faulty],
        vec!["test", &faulty],
        vec!["explain", "/health", "--policy", &faulty],
        vec!["decide", "--policy", &faulty],
        vec!["diff", "postern.toml", &faulty],
        vec!["diff", &faulty, "postern.toml"],
        vec!["keys", "seal", &faulty],
        vec!["keys", "check", "seeds.json", &faulty],
    ] {
        let told = run(&args);
        assert_eq!((told.code, told.out.as_str()), (1, ""), "{args:?}");
        assert!(told.err.contains("error[unknown_name]: no issuer is named `partner`"), "{args:?}: {told:?}");
        let told = run(&[&args[..], &["--format", "json"]].concat());
        assert_eq!((told.code, told.err.as_str()), (1, ""), "{args:?}");
        assert_eq!(told.json()["faults"][0]["code"], "unknown_name", "{args:?}");
    }
}

#[test]
fn what_cannot_be_read_or_is_not_understood_ends_with_2() {
    let none = "no-such-file";
    for args in [
        vec!["check", none],
        vec!["routes", none],
        vec!["test", none],
        vec!["diff", none, "postern.toml"],
        vec!["keys", none],
        vec!["inspect", "--token-file", none],
        vec!["explain", "/health", "--policy", none],
        vec!["explain", "/health", "--token-file", none],
        vec!["explain", "/health", "--keys", none],
        vec!["explain", "/health", "--permissions", none],
        vec!["explain", "/health", "-H", none],
    ] {
        let told = run(&args);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{args:?}: {told:?}");
        assert!(told.err.starts_with("postern: ") && told.err.contains(none), "{args:?}: {told:?}");
    }
    for args in [vec![], vec!["chek"], vec!["explain"], vec!["check", "--format", "yaml"], vec!["keys"]] {
        assert_eq!(run(&args).code, 2, "{args:?}");
    }
}

//! libFuzzer over [`postern_fuzz::gateway`]; built otherwise, a command that runs it on the files it is given.
#![cfg_attr(fuzzing, no_main)]

postern_fuzz::target!(postern_fuzz::gateway::check);

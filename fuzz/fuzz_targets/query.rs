//! libFuzzer over [`postern_fuzz::query`]; built otherwise, a command that runs it on the files it is given.
#![cfg_attr(fuzzing, no_main)]

postern_fuzz::target!(postern_fuzz::query::check);

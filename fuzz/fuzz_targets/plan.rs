//! libFuzzer over [`postern_fuzz::plan`]; built otherwise, a command that runs it on the files it is given.
#![cfg_attr(fuzzing, no_main)]

postern_fuzz::target!(postern_fuzz::plan::check);

//! The program: see `command_line`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kfold_studio::command_line::main()
}

//! The `release` command: hands the arguments to `cli` and leaves with its exit code.

fn main() -> std::process::ExitCode {
    release::cli::main()
}

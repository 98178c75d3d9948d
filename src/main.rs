//! The `release` command: hands the arguments to `cli` and leaves with its exit code.

/// Plans make and drop many small texts, on several threads. The second line of this allocator gives memory back within
/// hundredths of a second; the third one waits for a whole one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    release::cli::main()
}

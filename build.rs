//! Links the program at a fixed address where that is known to work: for every start of one that may stand anywhere the
//! loader writes 1.6 MB of addresses first, half the time of a short run. Libraries, heap and stack still stand anywhere.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    let is_whole = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && !is_whole {
        println!("cargo::rustc-link-arg-bin=release=-no-pie");
    }
}

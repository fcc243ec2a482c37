//! Decides whether the topology is read through libhwloc.
//!
//! Emits `cfg(hwloc_found)` when the feature `hwloc` is on, the target is a dynamically linked Linux
//! and pkg-config knows a libhwloc of version 2. Everything else builds with the sysfs reader, so a
//! machine without libhwloc is never a reason for a build to fail. `BASTION_HWLOC` is `auto` (the
//! default), `off` (never), or `require` (fail when it is missing).

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const VARIABLE: &str = "BASTION_HWLOC";
const INSTALL: &str = "apt-get install -y --no-install-recommends libhwloc-dev pkg-config";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    if env::var_os("CARGO_FEATURE_HWLOC").is_none() {
        return;
    }
    let mode = env::var(VARIABLE).unwrap_or_default();
    let required = match mode.as_str() {
        "" | "auto" => false,
        "require" => true,
        "off" => return,
        other => {
            println!("cargo::error={VARIABLE} is `{other}`: it must be auto, off or require");
            return;
        }
    };
    match unsuitable_target() {
        Some(reason) if required => println!("cargo::error={VARIABLE}=require, but {reason}"),
        Some(_) => {}
        None => probe(required),
    }
}

/// Says why libhwloc cannot be linked on this target, if it cannot.
fn unsuitable_target() -> Option<&'static str> {
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return Some("libhwloc is used on Linux only");
    }
    // A static libhwloc needs a static libudev, which distributions do not ship.
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    features
        .split(',')
        .any(|feature| feature == "crt-static")
        .then_some("libhwloc cannot be linked into a static binary (crt-static)")
}

fn probe(required: bool) {
    watch_package_directories();
    // Version 3 changes the layout of the objects that the bindings read.
    let found =
        pkg_config::Config::new().cargo_metadata(false).range_version("2.0".."3.0").probe("hwloc");
    match found {
        Ok(library) => {
            println!("cargo::rustc-cfg=hwloc_found");
            for path in library.link_paths {
                println!("cargo::rustc-link-search=native={}", path.display());
            }
        }
        Err(_) if required => println!(
            "cargo::error=libhwloc 2 was not found ({VARIABLE}=require); install it with: {INSTALL}"
        ),
        // A cross build is told nothing: installing the host's library would not help it.
        Err(pkg_config::Error::CrossCompilation) => {}
        Err(_) => println!(
            "cargo::warning=libhwloc 2 was not found: the topology is read from sysfs instead; to \
             use libhwloc: {INSTALL}"
        ),
    }
}

/// Reruns this script when a package description appears or disappears, so that an installed or
/// removed libhwloc is noticed by the next build.
fn watch_package_directories() {
    // A missing path would make Cargo rerun the script, and rebuild, every time.
    for directory in package_directories().iter().filter(|directory| directory.is_dir()) {
        println!("cargo::rerun-if-changed={}", directory.display());
    }
}

fn package_directories() -> Vec<PathBuf> {
    let mut directories = Vec::new();
    for variable in ["PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR"] {
        // Declared here too: the probe declares them only when pkg-config itself can be run.
        println!("cargo::rerun-if-env-changed={variable}");
        directories.extend(env::split_paths(&env::var_os(variable).unwrap_or_default()));
    }
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_owned());
    let asked = Command::new(program).args(["--variable", "pc_path", "pkg-config"]).output();
    match asked {
        Ok(output) if output.status.success() => {
            let list = String::from_utf8_lossy(&output.stdout);
            directories.extend(env::split_paths(list.trim()));
        }
        _ => directories.extend(usual_directories()),
    }
    directories.sort();
    directories.dedup();
    directories
}

/// The directories of the common distributions, for when pkg-config is not there to be asked.
fn usual_directories() -> Vec<PathBuf> {
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let mut directories = Vec::new();
    for prefix in ["/usr/local", "/usr"] {
        let prefix = Path::new(prefix);
        directories.push(prefix.join(format!("lib/{architecture}-linux-gnu/pkgconfig")));
        directories.push(prefix.join("lib64/pkgconfig"));
        directories.push(prefix.join("lib/pkgconfig"));
        directories.push(prefix.join("share/pkgconfig"));
    }
    directories
}

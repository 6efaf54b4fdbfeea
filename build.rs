//! How the static binary for `x86_64` is linked: 610 KB smaller than by default.
#![expect(clippy::disallowed_methods, reason = "so cargo talks to a build script")]

use std::path::PathBuf;
use std::{env, fs, io};

/// Leaves out the tables of unwinding, 500 KB: the gate never unwinds, since the hook of a panic ends the process
/// (src/crash.rs). `panic = "abort"` does not drop them by itself, and the standard library comes with its own. What is
/// kept marks their beginning and end, which the start of a C program refers to.
const WITHOUT_UNWINDING: &str = "\
SECTIONS { /DISCARD/ : { *(EXCLUDE_FILE(*crtbegin*.o *crtend*.o) .eh_frame) *(.gcc_except_table .gcc_except_table.*) } }
INSERT BEFORE .rodata;
";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name, value| env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_ENV", "musl") && is("CARGO_CFG_TARGET_ARCH", "x86_64") {
        let script = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("without-unwinding.ld");
        fs::write(&script, WITHOUT_UNWINDING)?;
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
        // The table of addresses that are set at the start, packed: 113 KB. musl reads it since 1.2.4; Rust brings 1.2.5.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

//! Sends one request, and prints the code of its answer.

use std::error::Error;
use std::sync::Arc;

use clap::{Arg, Command};
use rustls::{ClientConfig, RootCertStore};

fn main() -> Result<(), Box<dyn Error>> {
    let url = Arg::new("url").long("url").required(true).help("What to ask for");
    let matches = Command::new("minimal").arg(url).get_matches();
    let url = matches.get_one::<String>("url").ok_or("no URL")?;
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(client.get(url).send())?.status());
    Ok(())
}

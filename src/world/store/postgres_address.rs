//! Where a PostgreSQL chain is, who we are there, and whether the way is safe.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::world::loopback::leads_to_loopback;
use crate::world::store::error::{StoreError, words};

/// An address that was read and found safe.
pub(in crate::world) struct PostgresAddress {
    /// With the password of the environment.
    pub config: Config,
    /// The schema with our table: lowercase letters, digits and underscores.
    pub schema: String,
    /// The chain's own name in the table.
    pub ledger: String,
    /// For messages.
    pub name: String,
    /// Certificates of authorities to trust beside the system's.
    authorities: Option<PathBuf>,
}

impl PostgresAddress {
    /// Reads `postgres://user@host:port/database` with the parameters `schema` (`release_ledger`), `ledger` (`release`),
    /// `sslrootcert` (a PEM file) and those of libpq that the driver knows. TLS is demanded of all but this machine.
    ///
    /// # Errors
    /// `Unusable` for an address with a password, one that is none, or TLS switched off on the way to another machine.
    pub fn read(
        url: &str,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<PostgresAddress, StoreError> {
        let name = shown(url);
        let unusable = |said: &str| StoreError::Unusable { store: name.clone(), words: words(said) };
        if holds_password(url) {
            return Err(unusable(
                "its address holds a password; take it out and set `RELEASE_LEDGER_PASSWORD` or `PGPASSWORD`",
            ));
        }
        let (plain, own) = without_own_parameters(url);
        // The driver's words may repeat a part of the address; it holds no password.
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            unusable(&format!("`postgres://user@host/database` is expected: {error}"))
        })?;
        let taken = |key: &str| own.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        let schema = taken("schema").unwrap_or_else(|| "release_ledger".to_owned());
        if !is_plain_name(&schema) {
            return Err(unusable("its schema is not written in lowercase letters, digits and underscores"));
        }
        if config.get_hosts().is_empty() {
            return Err(unusable("it names no host"));
        }
        match (is_here(&config), config.get_ssl_mode()) {
            (true, SslMode::Prefer) => config.ssl_mode(SslMode::Disable),
            (true, _) => &mut config,
            (false, SslMode::Disable) => {
                return Err(unusable("`sslmode=disable` is for this machine alone; leave it out"));
            }
            (false, _) => config.ssl_mode(SslMode::Require),
        };
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_application_name().is_none() {
            config.application_name("release");
        }
        if let Some(password) = password(environment) {
            config.password(password.expose_secret());
        }
        let ledger = taken("ledger").unwrap_or_else(|| "release".to_owned());
        Ok(PostgresAddress {
            config,
            schema,
            ledger,
            name,
            authorities: taken("sslrootcert").map(PathBuf::from),
        })
    }

    /// How to speak TLS there; `None` where the way stays on this machine.
    ///
    /// # Errors
    /// `Unusable` where the trusted certificates can not be read.
    pub fn tls(&self) -> Result<Option<MakeRustlsConnect>, StoreError> {
        if self.config.get_ssl_mode() == SslMode::Disable {
            return Ok(None);
        }
        let unusable = |said: String| StoreError::Unusable { store: self.name.clone(), words: words(&said) };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = &self.authorities {
            let failed = |error| unusable(format!("no certificates in `{}`: {error}", path.display()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
                let added = roots.add(certificate.map_err(failed)?);
                added
                    .map_err(|error| unusable(format!("`{}` holds no authority: {error}", path.display())))?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Some(MakeRustlsConnect::new(config)))
    }
}

/// The parameters that are ours and not the driver's.
const OWN: [&str; 3] = ["schema", "ledger", "sslrootcert"];

fn password(environment: &dyn Fn(&str) -> Option<OsString>) -> Option<SecretString> {
    let named = ["RELEASE_LEDGER_PASSWORD", "PGPASSWORD"].into_iter().find_map(environment);
    named.and_then(|password| password.into_string().ok()).map(SecretString::from)
}

/// The address without its parameters and all that stands between `:` and `@`.
fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "postgres".to_owned() };
    let rest = rest.split('?').next().unwrap_or_default();
    let (user, host) = rest.rsplit_once('@').unwrap_or(("", rest));
    let user = user.split(':').next().unwrap_or_default();
    words(&if user.is_empty() { format!("{scheme}://{host}") } else { format!("{scheme}://{user}@{host}") })
}

fn holds_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    place.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
        || parameters.split('&').any(|parameter| parameter.starts_with("password"))
        || !url.contains("://") && url.contains("password")
}

fn without_own_parameters(url: &str) -> (String, Vec<(String, String)>) {
    let Some((place, parameters)) = url.split_once('?') else { return (url.to_owned(), Vec::new()) };
    let pairs = parameters.split('&').map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
    let (own, theirs): (Vec<_>, Vec<_>) = pairs.partition(|(name, _)| OWN.contains(name));
    let theirs: Vec<String> = theirs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let plain = if theirs.is_empty() { place.to_owned() } else { format!("{place}?{}", theirs.join("&")) };
    (plain, own)
}

fn is_plain_name(name: &str) -> bool {
    let fits =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    !name.is_empty()
        && name.len() < 64
        && name.chars().all(fits)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether every host of an address is this machine.
fn is_here(config: &Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => leads_to_loopback(name),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    hosts && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<PostgresAddress, StoreError> {
        PostgresAddress::read(url, &|name| (name == "PGPASSWORD").then(|| "hunter2".into()))
    }

    #[test]
    fn an_address_is_read_with_the_password_of_the_environment() {
        let address =
            read("postgres://ada@db.example:5433/work?schema=s1&application_name=x&ledger=a").unwrap();
        assert_eq!((address.schema.as_str(), address.ledger.as_str()), ("s1", "a"));
        assert_eq!(address.config.get_password(), Some(b"hunter2".as_slice()));
        assert_eq!(address.config.get_application_name(), Some("x"));
        assert_eq!(address.name, "postgres://ada@db.example:5433/work");
        let plain = read("postgres://ada@localhost/work").unwrap();
        assert_eq!((plain.schema.as_str(), plain.ledger.as_str()), ("release_ledger", "release"));
    }

    #[test]
    fn only_this_machine_is_reached_without_tls() {
        let check = |url: &str, expected: SslMode| {
            let address = read(url).unwrap();
            assert_eq!(address.config.get_ssl_mode(), expected, "{url}");
            assert_eq!(address.tls().unwrap().is_none(), expected == SslMode::Disable, "{url}");
        };
        check("postgres://a@127.0.0.1/b", SslMode::Disable);
        check("postgres://a@[::1]:5/b", SslMode::Disable);
        check("postgres://a@%2Frun%2Fpostgresql/b", SslMode::Disable);
        check("postgres://a@localhost/b?sslmode=require", SslMode::Require);
        check("postgres://a@db.example/b", SslMode::Require);
        check("postgres://a@db.example/b?sslmode=prefer", SslMode::Require);
        check("postgres://a@localhost,db.example/b", SslMode::Require);
        check("postgres://a@localhost/b?hostaddr=192.0.2.1", SslMode::Require);
        assert!(read("postgres://a@db.example/b?sslmode=disable").is_err());
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        for url in [
            "postgres://ada:s3cret@db.example/work",
            "postgres://db.example/work?user=ada&password=s3cret",
            "postgres://ada:s3cret@x@db.example/work",
            "host=db.example password=s3cret",
        ] {
            let error = read(url).err().unwrap();
            assert!(matches!(error, StoreError::Unusable { .. }), "{url}");
            assert!(
                !format!("{error:?}").contains("s3cret") && error.to_string().contains("PGPASSWORD"),
                "{error}"
            );
        }
        for url in [
            "postgres://a@b/c?schema=x;drop",
            "mysql://a@b/c",
            "postgres:///c",
            "postgres://a@b/c?colour=red",
        ] {
            assert!(matches!(read(url).err().unwrap(), StoreError::Unusable { .. }), "{url}");
        }
    }
}

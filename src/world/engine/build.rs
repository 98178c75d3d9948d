//! Builds an image: an archive goes to the engine, its stream says what becomes of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptions, BuilderVersion, RemoveImageOptions};
use futures_util::{StreamExt, stream};
use tokio::io::AsyncReadExt;

use crate::world::command::plain_line;
use crate::world::engine::registry_login::{of_host, server};
use crate::world::engine::{Engine, EngineError};
use crate::world::http::said;
use crate::world::oci::Platform;
use crate::world::variable::Env;

/// How many lines of a failed build are kept.
const TAIL: usize = 40;
/// How many bytes go to the engine at once.
const CHUNK: usize = 256 * 1024;
/// The registry of images that name none.
const HUB: &str = "docker.io";

/// One image to build, for one platform.
#[derive(Debug, Clone)]
pub struct BuildOrder {
    /// The name that it gets in the engine, with a tag; what has it already loses it.
    pub name: String,
    /// The Dockerfile's path in the archive.
    pub dockerfile: String,
    pub args: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// `linux/amd64`
    pub platform: String,
    pub timeout: Duration,
}

/// Whether builds are done by `BuildKit`: where the engine has it, and nobody says otherwise (`DOCKER_BUILDKIT=0`).
pub fn uses_buildkit(engine: &Engine, variable: &Env) -> bool {
    let off = variable("DOCKER_BUILDKIT").is_some_and(|value| value == "0");
    engine.about.has_buildkit() && !off
}

impl Engine {
    /// Builds an image and answers its platform, as the engine says it. `tell` hears the steps as they begin.
    ///
    /// # Errors
    /// `Build` where the Dockerfile does not come to its end; `Settings` where the engine can not build for the
    /// platform.
    pub async fn build(
        &self,
        order: &BuildOrder,
        archive: File,
        credentials: HashMap<String, DockerCredentials>,
        buildkit: bool,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Platform, EngineError> {
        if !buildkit && order.platform != self.about.platform() {
            return Err(foreign(&order.platform, &self.about.platform()));
        }
        let built = self.follow(order, archive, credentials, buildkit, tell);
        let late = |_| EngineError::Build {
            said: format!("it takes longer than {} seconds", order.timeout.as_secs()),
            tail: String::new(),
        };
        tokio::time::timeout(order.timeout, built).await.map_err(late)??;
        let made = self.platform_of(&order.name).await?;
        let name = name_of(&made);
        if name == order.platform || name.starts_with(&format!("{}/", order.platform)) {
            return Ok(made);
        }
        Err(foreign(&order.platform, &name))
    }

    async fn follow(
        &self,
        order: &BuildOrder,
        archive: File,
        credentials: HashMap<String, DockerCredentials>,
        buildkit: bool,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(), EngineError> {
        // The engine answers when it has read the archive.
        let patient = self.docker.clone().with_timeout(order.timeout);
        let archive = tokio::fs::File::from_std(archive);
        let body = bollard::body_try_stream(stream::try_unfold(archive, |mut archive| async move {
            Ok(next_chunk(&mut archive).await?.map(|chunk| (chunk.into(), archive)))
        }));
        let built = patient.build_image(options(order, buildkit), Some(credentials), Some(body));
        let mut built = std::pin::pin!(built);
        let (mut tail, mut begun) = (VecDeque::new(), BTreeSet::new());
        while let Some(item) = built.next().await {
            let info = item.map_err(|error| self.broken(&error, &tail))?;
            if let Some(detail) = &info.error_detail {
                let error = detail.message.clone().unwrap_or_default();
                return Err(self.broken(&Error::DockerStreamError { error }, &tail));
            }
            for line in lines(&info) {
                if is_step(&line) {
                    // BuildKit tells of a step again and again: as it begins, goes on, ends.
                    if !begun.insert(line.clone()) {
                        continue;
                    }
                    tell(&line);
                }
                tail.push_back(line);
                while tail.len() > TAIL {
                    tail.pop_front();
                }
            }
        }
        Ok(())
    }

    /// What stopped a build: what is said in its stream, and a refusal of its request, are about the Dockerfile.
    fn broken(&self, error: &Error, tail: &VecDeque<String>) -> EngineError {
        match self.error(error, "build the image") {
            EngineError::Failed { said, .. } | EngineError::Refused { said, status: 400..=499, .. } => {
                let tail = Vec::from_iter(tail.iter().map(String::as_str)).join("\n");
                EngineError::Build { said, tail }
            }
            other => other,
        }
    }

    /// What an image runs on.
    ///
    /// # Errors
    /// Where there is no such image.
    pub async fn platform_of(&self, image: &str) -> Result<Platform, EngineError> {
        let inspected = self.docker.inspect_image(image).await;
        let image = inspected.map_err(|error| self.error(&error, "know the image that it built"))?;
        Ok(Platform {
            architecture: image.architecture.unwrap_or_default(),
            os: image.os.unwrap_or_default(),
            variant: image.variant.filter(|variant| !variant.is_empty()),
        })
    }

    /// Takes a name away from an image; what has no name is gone, what it was built from may stay.
    ///
    /// # Errors
    /// Where the engine does not do it. An image that is not there is no error.
    pub async fn forget_image(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveImageOptions { force: false, noprune: true, ..Default::default() };
        match self.docker.remove_image(name, Some(options), None).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.error(&error, "remove the image");
                if error.is_absent() { Ok(()) } else { Err(error) }
            }
        }
    }
}

/// The credentials of the registries that a Dockerfile takes its bases from.
pub async fn credentials(dockerfile: &Path, variable: &Env) -> HashMap<String, DockerCredentials> {
    let text = std::fs::read(dockerfile).unwrap_or_default();
    let mut found = HashMap::new();
    for host in bases(&String::from_utf8_lossy(&text)) {
        let Some(shown) = of_host(&host, variable).await else { continue };
        let server = if host == HUB { "https://index.docker.io/v1/".to_owned() } else { host };
        found.insert(server.clone(), DockerCredentials { serveraddress: Some(server), ..shown });
    }
    found
}

/// The registries of `FROM` and `COPY --from`, each once.
fn bases(dockerfile: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for line in dockerfile.lines() {
        let mut words = line.split_whitespace();
        let image = match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("FROM") => words.find(|word| !word.starts_with("--")),
            Some("COPY") => words.find_map(|word| word.strip_prefix("--from=")),
            _ => None,
        };
        let Some(image) = image.filter(|image| *image != "scratch") else { continue };
        let host = server(image);
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

fn options(order: &BuildOrder, buildkit: bool) -> BuildImageOptions {
    BuildImageOptions {
        dockerfile: order.dockerfile.clone(),
        t: Some(order.name.clone()),
        buildargs: Some(order.args.clone().into_iter().collect()),
        labels: Some(order.labels.clone().into_iter().collect()),
        platform: order.platform.clone(),
        rm: true,
        forcerm: true,
        version: if buildkit { BuilderVersion::BuilderBuildKit } else { BuilderVersion::BuilderV1 },
        session: buildkit.then(unique),
        ..Default::default()
    }
}

/// A name that no other build has.
fn unique() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("release-{:016x}{:016x}", number(), number())
}

/// The next bytes of the archive; none at its end.
async fn next_chunk(file: &mut tokio::fs::File) -> std::io::Result<Option<Vec<u8>>> {
    let mut chunk = vec![0; CHUNK];
    let read = file.read(&mut chunk).await?;
    chunk.truncate(read);
    Ok((read > 0).then_some(chunk))
}

/// What a build says, a line each: of the classic builder, or of `BuildKit`.
fn lines(info: &BuildInfo) -> Vec<String> {
    let mut text = info.stream.clone().unwrap_or_default();
    if let Some(BuildInfoAux::BuildKit(status)) = &info.aux {
        for vertex in status.vertexes.iter().filter(|vertex| vertex.started.is_some()) {
            text.push_str(&format!("{}\n", vertex.name));
        }
        for log in &status.logs {
            text.push_str(&String::from_utf8_lossy(&log.msg));
        }
    }
    let plain = text.lines().map(plain_line).filter(|line| !line.trim().is_empty());
    plain.map(|line| line.chars().take(500).collect()).collect()
}

/// Whether a line begins a step of the Dockerfile: `Step 2/3 : COPY …`, `[2/3] COPY …`.
fn is_step(line: &str) -> bool {
    let rest = line.strip_prefix("Step ").or_else(|| line.strip_prefix('['));
    rest.is_some_and(|rest| {
        let head = rest.split([' ', ']']).find(|word| word.contains('/')).unwrap_or_default();
        head.chars().all(|one| one.is_ascii_digit() || one == '/') && !head.is_empty()
    })
}

/// A platform as the configuration writes it.
pub fn name_of(platform: &Platform) -> String {
    let mut name = format!("{}/{}", platform.os, platform.architecture);
    if let Some(variant) = &platform.variant {
        name.push_str(&format!("/{variant}"));
    }
    said(&name)
}

fn foreign(wanted: &str, made: &str) -> EngineError {
    EngineError::Settings {
        what: format!("this engine builds for {made}, not for {wanted}"),
        reason: "an engine with BuildKit and QEMU's binfmt builds for others; or take the platform out of \
                 `platforms`"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_and_logs_are_not() {
        for step in ["Step 2/3 : COPY a b", "[2/3] COPY a b", "[build 2/3] COPY a b"] {
            assert!(is_step(step), "{step}");
        }
        for other in ["[internal] load build context", "Collecting x/y", "exporting to image", " ---> 1/2"] {
            assert!(!is_step(other), "{other}");
        }
    }

    #[test]
    fn bases_name_their_registries() {
        let text = "FROM --platform=linux/amd64 ghcr.io/a/b:1 AS x\nfrom python:3.12\nFROM scratch\n\
                    COPY --from=localhost:5000/c /a /b\nCOPY a b\n";
        assert_eq!(bases(text), ["ghcr.io", "docker.io", "localhost:5000"]);
    }

    #[test]
    fn no_two_builds_share_a_session() {
        assert_ne!(unique(), unique());
    }
}

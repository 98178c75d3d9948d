//! Images that are made here, from this machine's busybox and Python, and pushed to the registry.

use std::process::Command;
use std::sync::OnceLock;

use release::plan::deployment::Placed;

use crate::engine::Registry;
use crate::targets::host::Host;
use crate::targets::placed;

/// A web server in Python that answers each path with its version, and ends at once when it is told to.
const SERVER: &str = r#"
import http.server, os, signal, sys
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_GET(self):
        body = os.environ["VERSION"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("serving", os.environ["VERSION"], flush=True)
http.server.ThreadingHTTPServer(("", 8000), Answer).serve_forever()
"#;

/// Writes a tar archive with this machine's Python to its output: program, libraries, standard library.
const PYTHON: &str = r#"
import os, subprocess, sys, sysconfig, tarfile
stdlib = sysconfig.get_path("stdlib")
program = os.path.realpath(sys.executable)
binaries = [program] + [os.path.join(stdlib, "lib-dynload", name) for name in os.listdir(os.path.join(stdlib, "lib-dynload"))]
told = subprocess.run(["ldd", *binaries], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
libraries = {word for line in told.splitlines() for word in line.split() if word.startswith("/") and ".so" in word and not word.endswith(":")}
left_out = ("/test", "/__pycache__", "/idlelib", "/tkinter", "/config-", "/dist-packages", "/site-packages", "/ensurepip", "/lib2to3", "/turtledemo")
def keep(info):
    return None if any(part in "/" + info.name for part in left_out) else info
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", dereference=True) as archive:
    archive.add(program, "usr/bin/python3")
    archive.add(stdlib, stdlib.lstrip("/"), filter=keep)
    for library in sorted(libraries):
        archive.add(library, library.lstrip("/"))
"#;

/// What an image does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// busybox's web server, without Python.
    Busybox,
    /// The same, with a health check each second.
    Checked,
    /// The same, whose check always fails.
    Ill,
    /// It writes a line and ends.
    Ends,
    /// It lives and never listens.
    Deaf,
    /// A web server in Python.
    Python,
}

/// Makes an image of this version and pushes it.
pub fn release(ground: &(Host, Registry), kind: Kind, version: &str) -> Placed {
    let (host, registry) = ground;
    let repository = registry.repository(&format!("{kind:?}").to_lowercase());
    let tag = format!("{repository}:{version}");
    match kind {
        Kind::Python => python(host, &tag, version),
        _ => busybox(host, &tag, kind, version),
    }
    let told = host.docker(&["push", &tag]).unwrap();
    let digest = told.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    placed(version, &repository, digest)
}

/// A file of an archive: its path, its mode, its bytes.
type File<'f> = (&'f str, u32, &'f [u8]);

pub fn archive(files: &[File<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, mode, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn busybox(host: &Host, tag: &str, kind: Kind, version: &str) {
    let program = std::fs::read("/bin/busybox").unwrap();
    let files = archive(&[("bin/busybox", 0o755, &program), ("www/index.html", 0o644, version.as_bytes())]);
    let changes = busybox_changes(kind);
    let mut words = vec!["import"];
    words.extend(changes.iter().flat_map(|change| ["-c", change]));
    words.extend(["-", tag]);
    host.docker_reading(&words, &files).unwrap();
}

fn busybox_changes(kind: Kind) -> Vec<String> {
    let serve = r#"CMD ["/bin/busybox","httpd","-f","-p","8000","-h","/www"]"#;
    let check = |retries: u8, program: &str| {
        format!("HEALTHCHECK --interval=1s --timeout=10s --retries={retries} CMD [{program}]")
    };
    let wget = r#""/bin/busybox","wget","-q","-O","/dev/null","http://127.0.0.1:8000/index.html""#;
    match kind {
        Kind::Checked => vec![serve.to_owned(), check(10, wget)],
        Kind::Ill => vec![serve.to_owned(), check(2, r#""/bin/busybox","false""#)],
        Kind::Ends => vec![
            r#"CMD ["/bin/busybox","sh","-c","printf '\\033[31mno database\\033[0m\\n'; exit 3"]"#.to_owned(),
        ],
        Kind::Deaf => vec![r#"CMD ["/bin/busybox","sleep","600"]"#.to_owned()],
        _ => vec![serve.to_owned()],
    }
}

/// The Python image with the server in it.
fn python(host: &Host, tag: &str, version: &str) {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let told = Command::new("/usr/bin/python3").args(["-I", "-c", PYTHON]).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        host.docker_reading(&["import", "-", "release-test/python"], &told.stdout).unwrap();
    });
    let name = format!("make-{}", version.replace('.', "-"));
    host.docker(&["create", "--name", &name, "release-test/python", "x"]).unwrap();
    let server = archive(&[("server.py", 0o644, SERVER.as_bytes())]);
    host.docker_reading(&["cp", "-", &format!("{name}:/")], &server).unwrap();
    let environment = format!("ENV PATH=/usr/bin:/bin VERSION={version}");
    let command = r#"CMD ["python3","-I","/server.py"]"#;
    host.docker(&["commit", "-c", &environment, "-c", command, &name, tag]).unwrap();
    host.docker(&["rm", &name]).unwrap();
}

//! A git server on loopback that asks for a token: `git http-backend` behind a few lines of Python.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = r#"
import base64, http.server, os, subprocess, sys
root, tokens = sys.argv[1], sys.argv[2].split(",")

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self): self.serve()
    def do_POST(self): self.serve()
    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while (size := int(self.rfile.readline(), 16)) > 0:
            parts.append(self.rfile.read(size)); self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)
    def serve(self):
        body = self.body()
        known = ["basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode() for token in tokens]
        scheme, _, secret = self.headers.get("Authorization", "").partition(" ")
        if f"{scheme.lower()} {secret}" not in known:
            self.send_response(401); self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0"); self.end_headers(); return
        path, _, query = self.path.partition("?")
        env = dict(os.environ, GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
                   REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""),
                   CONTENT_LENGTH=str(len(body)), REMOTE_USER="x-access-token", REMOTE_ADDR="127.0.0.1",
                   HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                   GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        out = subprocess.run(["git", "http-backend"], input=body, env=env, stdout=subprocess.PIPE).stdout
        head, _, rest = out.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((int(value[:3]) for name, value in fields if name == "Status"), 200)
        self.send_response(status)
        for name, value in fields:
            if name != "Status": self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest))); self.end_headers(); self.wfile.write(rest)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
import threading
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
"#;

/// It ends with the value.
pub struct Origin {
    process: Child,
    /// `http://127.0.0.1:PORT`
    pub address: String,
}

impl Origin {
    /// Serves the bare repositories of a folder to who has one of the tokens.
    pub fn start(root: &Path, tokens: &[&str]) -> Origin {
        let mut process = Command::new("python3")
            .args(["-c", SCRIPT])
            .arg(root)
            .arg(tokens.join(","))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Origin { process, address: format!("http://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

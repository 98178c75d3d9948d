"""Stands in for a build back end, so that a front end makes an environment and runs this in it.

`build_sdist` builds nothing. It connects to the socket beside this file and calls hooks of the real back end on demand,
each in a process forked from this one. A line of JSON asks for a call, two answer it: that it began, how it ended.
"""

import importlib
import json
import os
import select
import signal
import socket
import sys
import time

# How much of what a call writes is kept: its end.
KEPT = 256 * 1024
# How long descendants may keep a call's output open, in seconds.
LINGER = 1.0


def build_sdist(folder, config_settings=None):
    if sys.path[0] == ".":
        # Where this file stands is no place of the real back end's.
        del sys.path[0]
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.connect("socket")
    server = Server(control)
    try:
        request = server.serve()
    except BaseException:
        server.stop()
        raise
    # Only a forked process gets here. It ends as any program does, with what stands at its exit.
    perform(request, config_settings)
    raise SystemExit(0)


def perform(request, config_settings):
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    if "UV_INTERNAL__BUILD_DIR" in os.environ:
        os.environ["UV_INTERNAL__BUILD_DIR"] = request["folder"]
    backend = load(request["backend"])
    name = request["hook"]
    if name.startswith("get_requires_for_build_"):
        hook = getattr(backend, name, None)
        answer = hook(config_settings) if hook else []
    elif name == "build_wheel":
        answer = backend.build_wheel(request["out"], config_settings, None)
    else:
        answer = backend.build_sdist(request["out"], config_settings)
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


def load(backend):
    module, _, names = backend.partition(":")
    found = importlib.import_module(module)
    for name in filter(None, names.split(".")):
        found = getattr(found, name)
    return found


class Call:
    def __init__(self, number, pipe):
        self.number = number
        self.pipe = pipe
        self.output = b""
        self.cut = False
        self.status = None
        self.late = None

    def read(self):
        """Reads what was written; an end, and a pipe that breaks, closes it."""
        try:
            block = os.read(self.pipe, 65536)
        except OSError:
            block = b""
        if not block:
            self.close()
        self.output += block
        if len(self.output) > KEPT:
            self.output = self.output[-KEPT:]
            self.cut = True

    def close(self):
        if self.pipe is not None:
            os.close(self.pipe)
            self.pipe = None


class Server:
    def __init__(self, control):
        self.control = control
        self.unread = b""
        self.calls = {}
        self.woken, self.waker = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(self.waker, False)
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self):
        """Answers until the socket closes. Returns in forked processes alone, with what each is to do."""
        while True:
            readable = self.wait()
            for call in list(self.calls.values()):
                if call.pipe in readable:
                    call.read()
            if self.woken in readable:
                self.reap()
            self.tell()
            if self.control in readable:
                request = self.hear()
                if request is not None:
                    return request

    def wait(self):
        pipes = [call.pipe for call in self.calls.values() if call.pipe is not None]
        late = [call.late for call in self.calls.values() if call.late is not None]
        limit = max(min(late) - time.monotonic(), 0) if late else None
        readable = select.select([self.control, self.woken, *pipes], [], [], limit)[0]
        for call in self.calls.values():
            if call.late is not None and call.late <= time.monotonic():
                # Whoever still holds the output of a call that has ended is not waited for.
                call.close()
        return readable

    def reap(self):
        os.read(self.woken, 4096)
        for process, call in self.calls.items():
            if call.status is None:
                ended, status = os.waitpid(process, os.WNOHANG)
                if ended:
                    call.status = status
                    call.late = time.monotonic() + LINGER

    def tell(self):
        for process, call in list(self.calls.items()):
            if call.status is None or call.pipe is not None:
                continue
            del self.calls[process]
            kill(process)
            text = call.output.decode("utf-8", "replace")
            self.say({"id": call.number, "status": call.status, "output": text, "cut": call.cut})

    def hear(self):
        block = self.control.recv(65536)
        if not block:
            self.stop()
            os._exit(0)
        self.unread += block
        while b"\n" in self.unread:
            line, _, self.unread = self.unread.partition(b"\n")
            request = json.loads(line)
            if "import" in request:
                warm(request["import"])
            elif self.begin(request["id"]):
                return request
        return None

    def begin(self, number):
        """Forks. True in the new process."""
        ours, theirs = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process:
            os.close(theirs)
            try:
                os.setpgid(process, process)
            except OSError:
                # It did that itself, or is gone already.
                pass
            self.calls[process] = Call(number, ours)
            self.say({"id": number, "process": process})
            return False
        others, self.calls = self.calls, {}
        for call in others.values():
            call.close()
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(theirs, 1)
        os.dup2(theirs, 2)
        for descriptor in (ours, theirs, self.woken, self.waker):
            os.close(descriptor)
        self.control.close()
        return True

    def say(self, event):
        self.control.sendall(json.dumps(event).encode() + b"\n")

    def stop(self):
        for process in self.calls:
            kill(process)


def warm(modules):
    """Imports what all calls need. What does not import here fails in the call, where it is seen."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception:
            pass


def kill(process):
    try:
        os.killpg(process, signal.SIGKILL)
    except OSError:
        # Nobody is left of them.
        pass

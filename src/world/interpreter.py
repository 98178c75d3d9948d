"""Stands in for a build back end, so that a front end makes an environment and runs this in it.

Asked what it requires, it answers nothing. It connects to the socket beside this file, tells in a first line what is
installed, and calls hooks of the real back end on demand, each in a process forked from this one. A line of JSON asks
for a call, two answer it: that it began, how it ended.
"""

import _imp
import _io
import atexit
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import marshal
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


def get_requires_for_build_sdist(config_settings=None):
    if sys.path[0] == ".":
        # Where this file stands is no place of the real back end's.
        del sys.path[0]
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.connect("socket")
    server = Server(control)
    try:
        server.say({"installed": installed()})
        request = server.serve()
    except BaseException:
        server.stop()
        raise
    # Only a forked process gets here. One that fails ends as any program does.
    perform(request, config_settings)
    leave()


def installed():
    """This Python and all files that were installed for it, with their hashes; nothing where these are not known.

    Two environments that tell the same are the same, but for their place. Programs name it, and are left out.
    """
    told = [sys.version, sys.base_prefix]
    places = [place for place in sys.path if os.path.basename(place) in ("site-packages", "dist-packages")]
    try:
        for place in places:
            for name in sorted(os.listdir(place)):
                told.append(name)
                if name.endswith((".egg-info", ".egg", ".egg-link")):
                    return None
                if name.endswith(".dist-info"):
                    told += recorded(os.path.join(place, name, "RECORD"))
        "".join(told).encode()
    except (OSError, ValueError):
        # It can not be read, or is no text.
        return None
    return told


def recorded(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if not is_program(line)]


def is_program(line):
    parts = [part for part in line.lstrip('"').split("/") if part != ".."]
    return line.startswith(("../", '"../')) and parts[0] in ("bin", "Scripts")


def perform(request, config_settings):
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    if "UV_INTERNAL__BUILD_DIR" in os.environ:
        os.environ["UV_INTERNAL__BUILD_DIR"] = request["folder"]
    backend = load(request["backend"])
    for name in request["hooks"]:
        told = call(backend, name, request["out"], config_settings)
        if told.get("requires"):
            # What is built comes after what is asked for.
            break
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(told, file)


def call(backend, name, out, config_settings):
    if name.startswith("get_requires_for_build_"):
        hook = getattr(backend, name, None)
        return {"requires": hook(config_settings) if hook else []}
    if name == "build_wheel":
        return {"made": backend.build_wheel(out, config_settings, None)}
    return {"made": backend.build_sdist(out, config_settings)}


def leave():
    """Ends with what stands at a program's exit, but for taking apart all that was imported: as those are the pages
    that processes share, it would take longer than most hooks."""
    threading = sys.modules.get("threading")
    if not hasattr(gc, "freeze") or threading and threading.active_count() > 1:
        raise SystemExit(0)
    try:
        atexit._run_exitfuncs()
    except BaseException:
        # It is told of already, and changes nothing.
        pass
    gc.collect()
    for held in gc.get_objects():
        if issubclass(type(held), _io._IOBase):
            try:
                held.close()
            except Exception:
                pass
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    os._exit(0)


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
                warm(request["import"], request["compiled"])
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


def warm(modules, compiled):
    """Imports what all calls need. What does not import here fails in the call, where it is seen."""
    # Nothing of it is garbage before the program ends: who looks for garbage does not touch it again.
    gc.disable()
    with Compiled(compiled):
        for module in modules:
            try:
                importlib.import_module(module)
            except Exception:
                pass
    if hasattr(gc, "freeze"):
        gc.freeze()
    gc.enable()


class Compiled:
    """Code that was compiled before, by its source: each new environment has the same sources, at other places.

    It is found by what Python finds it by in files that are "hash-based" (PEP 552).
    """

    def __init__(self, place):
        level = sys.flags.optimize
        self.place = f"{place}-{sys.implementation.cache_tag}-{importlib.util.MAGIC_NUMBER.hex()}-{level}"
        self.known = {}
        self.used = {}

    def __enter__(self):
        self.known = self.read()
        loader = importlib.machinery.SourceFileLoader
        self.before = loader.source_to_code, sys.dont_write_bytecode
        loader.source_to_code = lambda *args, **options: self.code(*args, **options)
        sys.dont_write_bytecode = True

    def __exit__(self, *_):
        importlib.machinery.SourceFileLoader.source_to_code, sys.dont_write_bytecode = self.before
        if not self.used.keys() <= self.known.keys():
            self.write()

    def code(self, loader, data, path, *args, **options):
        key = importlib.util.source_hash(data)
        block = self.known.get(key)
        if block is None:
            code = self.before[0](loader, data, path, *args, **options)
            block = marshal.dumps(code)
        else:
            code = marshal.loads(block)
            _imp._fix_co_filename(code, path)
        self.used[key] = block
        return code

    def read(self):
        """Nothing where there is no file, or another than was written."""
        try:
            with open(self.place, "rb") as file:
                check, block = file.read(8), file.read()
            return marshal.loads(block) if importlib.util.source_hash(block) == check else {}
        except OSError:
            return {}

    def write(self):
        block = marshal.dumps(self.used)
        place = f"{self.place}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(importlib.util.source_hash(block) + block)
            os.replace(place, self.place)
        except OSError:
            # Then it is compiled again.
            pass


def kill(process):
    try:
        os.killpg(process, signal.SIGKILL)
    except OSError:
        # Nobody is left of them.
        pass

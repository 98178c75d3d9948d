"""Leads connections to the container that has the traffic.

Arguments: its folder, then LISTEN:INSIDE for each port. Its orders are files in the folder, `order-EPOCH-NUMBER`, each a
JSON object: the one with the highest numbers is obeyed once the container that it names (`to`) accepts connections;
`state` tells what came of it. SIGHUP says that there is a new order. Needs Python 3.7, and nothing beside it.

Where a connection speaks HTTP/1, requests are told apart, so that one that is kept open moves over between two requests.
All others stay where they began.
"""
import asyncio
import json
import os
import re
import signal
import sys

CONNECTING = 5.0  # seconds that a connection waits for a container that does not accept: it may be starting again
LEAVING = 10.0  # seconds that open connections have when the switch itself is stopped
HEAD = 65536  # bytes of a message's head; more is no HTTP for us
REQUEST = re.compile(rb"([A-Z]+) \S+ HTTP/1\.1$")
RESPONSE = re.compile(rb"HTTP/1\.1 (\d\d\d)( |$)")


class Opaque(Exception):
    """These bytes are not HTTP/1.1 as it is understood here."""


class Reader:
    """Finds where messages of one direction end; `starts` is told of each head and answers how long its body is."""

    def __init__(self, starts):
        self.starts = starts
        self.head = bytearray()
        self.left = 0  # bytes of the body, or of the chunk, still to come
        self.chunks = None  # None: no chunks; else "size", "data", "trailer"

    def between(self):
        return not self.head and not self.left and self.chunks is None

    def feed(self, data):
        """Yields once for each message that ends in these bytes."""
        at = 0
        while at < len(data):
            if self.left:
                taken = min(self.left, len(data) - at)
                self.left -= taken
                at += taken
                if not self.left and self.chunks is None:
                    yield True
                continue
            end = data.find(b"\n", at)
            self.head += data[at : end + 1 if end >= 0 else len(data)]
            at = end + 1 if end >= 0 else len(data)
            if len(self.head) > HEAD:
                raise Opaque
            if end >= 0 and self.line():
                yield True

    def line(self):
        """A line has ended; says whether the message has."""
        if self.chunks == "size":
            text = bytes(self.head).split(b";")[0].strip()
            self.head.clear()
            if not text:
                return False  # the line after a chunk's data
            size = number(text, 16)
            self.left, self.chunks = size, "size" if size else "trailer"
            return False
        if self.chunks == "trailer":
            ended = not self.head.strip()
            self.head.clear()
            self.chunks = None if ended else "trailer"
            return ended
        if not self.head.endswith((b"\r\n\r\n", b"\n\n")):
            if not self.head.strip():
                self.head.clear()  # an empty line before a request
            return False
        head, self.head = bytes(self.head), bytearray()
        body = self.starts(*fields(head))
        if body == "chunked":
            self.chunks = "size"
            return False
        self.left = body or 0
        return body == 0


def fields(head):
    first, *lines = head.rstrip().split(b"\n")
    found = {}
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.strip().lower()
        if name in found and name in (b"content-length", b"transfer-encoding"):
            raise Opaque
        found[name] = value.strip().lower()
    return first.rstrip(), found


def number(text, base):
    if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", text):
        raise Opaque
    try:
        return int(text, base)
    except ValueError:
        raise Opaque from None


def length(found):
    """The body's length as its head says it; None where only the end of the connection ends it."""
    if b"transfer-encoding" in found:
        if found[b"transfer-encoding"] != b"chunked" or b"content-length" in found:
            raise Opaque
        return "chunked"
    if b"content-length" in found:
        return number(found[b"content-length"], 10)
    return None


class Exchange:
    """What a connection's two directions add up to."""

    def __init__(self):
        self.opaque = False
        self.begun = False
        self.answered = 0
        self.methods = []  # of the requests that wait for their answers
        self.requests = Reader(self.request_starts)
        self.responses = Reader(self.response_starts)
        self.final = True

    def between(self):
        """Whether it stands between two requests: nothing is on its way in either direction."""
        quiet = not self.methods and self.requests.between() and self.responses.between()
        return quiet and self.answered > 0 and not self.opaque

    def request(self, data):
        self.begun = True
        self.follow(self.requests, data)

    def response(self, data):
        self.begun = True
        self.follow(self.responses, data)

    def follow(self, reader, data):
        if self.opaque:
            return
        try:
            for _ in reader.feed(data):
                if reader is self.responses and self.final:
                    self.methods.pop(0)
                    self.answered += 1
        except Opaque:
            self.opaque = True

    def request_starts(self, first, found):
        match = REQUEST.match(first)
        if not match or b"upgrade" in found or match[1] == b"CONNECT" or b"close" in found.get(b"connection", b""):
            raise Opaque
        self.methods.append(match[1])
        return length(found) or 0

    def response_starts(self, first, found):
        match = RESPONSE.match(first)
        if not match or not self.methods or match[1] == b"101" or b"close" in found.get(b"connection", b""):
            raise Opaque
        self.final = match[1][:1] != b"1"
        if not self.final or match[1] in (b"204", b"304") or self.methods[0] == b"HEAD":
            return 0
        body = length(found)
        if body is None:
            raise Opaque
        return body


class Front(asyncio.Protocol):
    """A client's connection."""

    def __init__(self, switch, inside):
        self.switch, self.inside = switch, inside
        self.back = self.task = None
        self.waiting = bytearray()
        self.exchange = Exchange()
        self.full = False

    def connection_made(self, transport):
        self.transport = transport
        self.switch.fronts.add(self)
        self.connect()

    def connect(self):
        self.transport.pause_reading()
        self.task = asyncio.ensure_future(self.connecting())

    async def connecting(self):
        loop = asyncio.get_running_loop()
        until = loop.time() + CONNECTING
        while True:
            order = self.switch.leads
            try:
                if order is None:
                    raise OSError("leads nowhere")
                made = loop.create_connection(lambda: Back(self, order), order["to"], self.inside, family=2)
                _, back = await asyncio.wait_for(made, max(0.1, until - loop.time()))
                if self.switch.leads_to(order) and not back.transport.is_closing():
                    break
                back.leave()
            except (OSError, asyncio.TimeoutError):
                await asyncio.sleep(0.05)
            if loop.time() >= until or self.transport.is_closing():
                self.transport.abort()
                return
        self.task = None
        if self.transport.is_closing():
            back.leave()
            return
        self.back = back
        if self.waiting:
            back.transport.write(bytes(self.waiting))
            self.waiting.clear()
        if self.full:
            back.transport.pause_reading()
        self.transport.resume_reading()

    def data_received(self, data):
        self.move()
        self.exchange.request(data)
        if self.back is not None:
            self.back.transport.write(data)
            return
        self.waiting += data
        if self.task is None:
            self.connect()

    def eof_received(self):
        if self.back is None or not self.back.transport.can_write_eof():
            return False
        self.back.transport.write_eof()
        self.exchange.opaque = True
        return True

    def connection_lost(self, error):
        self.switch.fronts.discard(self)
        if self.task is not None:
            self.task.cancel()
        if self.back is not None:
            self.back.transport.abort() if error else self.back.transport.close()
        self.switch.moved()

    def pause_writing(self):
        self.full = True
        if self.back is not None:
            self.back.transport.pause_reading()

    def resume_writing(self):
        self.full = False
        if self.back is not None:
            self.back.transport.resume_reading()

    def is_behind(self):
        """Whether it is connected to another container than the one that has the traffic."""
        return self.back is not None and not self.switch.leads_to(self.back.order)

    def move(self):
        """Leaves the container that it is connected to, where nothing is lost by that; the next request goes on."""
        if not self.is_behind() or (self.exchange.begun and not self.exchange.between()):
            return
        back, self.back = self.back, None
        back.leave()
        self.transport.resume_reading()
        if not self.exchange.begun:
            self.connect()
        self.switch.moved()

    def lost(self, back, error):
        if self.back is not back:
            return
        stays = self.is_behind() and self.exchange.between()
        self.back = None
        if not self.exchange.begun and not self.transport.is_closing():
            self.connect()
        elif error:
            self.transport.abort()
        elif not stays:
            self.transport.close()


class Back(asyncio.Protocol):
    """The connection to the container that goes with a client's."""

    def __init__(self, front, order):
        self.front, self.order, self.left = front, order, False

    def connection_made(self, transport):
        self.transport = transport

    def leave(self):
        self.left = True
        self.transport.close()

    def data_received(self, data):
        if not self.left:
            self.front.transport.write(data)
            self.front.exchange.response(data)
            self.front.move()

    def connection_lost(self, error):
        if not self.left:
            self.front.lost(self, error)

    def pause_writing(self):
        if not self.left:
            self.front.transport.pause_reading()

    def resume_writing(self):
        if not self.left:
            self.front.transport.resume_reading()


class Switch:
    def __init__(self, folder, ports):
        self.folder, self.ports = folder, ports
        self.fronts = set()
        self.leads = self.seen = self.failed = self.task = None
        self.told = None

    def look(self):
        """Takes up the newest order."""
        orders = []
        for name in os.listdir(self.folder):
            match = re.fullmatch(r"order-(\d+)-(\d+)", name)
            if match:
                orders.append((int(match[1]), int(match[2]), name))
        for _, _, name in sorted(orders, reverse=True):
            try:
                with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                    order = json.load(file)
            except (OSError, ValueError):
                continue  # it is being written
            if order == self.leads and self.task is None:
                self.seen = order
            elif order != self.seen:
                self.take(order)
            return

    def leads_to(self, order):
        return self.leads is not None and self.leads["container"] == order["container"]

    def take(self, order):
        if self.task is not None:
            self.task.cancel()
            self.task = None
        self.seen = order
        if self.leads is None:
            self.lead(order)
        else:
            self.task = asyncio.ensure_future(self.trying(order))
            self.tell()

    async def trying(self, order):
        loop = asyncio.get_running_loop()
        until = loop.time() + order["within"]
        for _, inside in self.ports:
            while True:
                try:
                    connecting = asyncio.open_connection(order["to"], inside, family=2)
                    _, writer = await asyncio.wait_for(connecting, 1.0)
                    writer.close()
                    break
                except (OSError, asyncio.TimeoutError):
                    if loop.time() >= until:
                        self.give_up(order, inside)
                        return
                    await asyncio.sleep(0.02)
        self.task = None
        self.lead(order)

    def give_up(self, order, inside):
        self.task = None
        self.failed = dict(order, port=inside)
        self.forget(lambda epoch, number: (epoch, number) == (order["epoch"], order["number"]))
        self.tell()

    def lead(self, order):
        self.leads = order
        for front in list(self.fronts):
            front.move()
        self.forget(lambda epoch, number: (epoch, number) < (order["epoch"], order["number"]))
        self.tell()

    def forget(self, which):
        for name in os.listdir(self.folder):
            match = re.fullmatch(r"order-(\d+)-(\d+)", name)
            if match and which(int(match[1]), int(match[2])):
                os.unlink(os.path.join(self.folder, name))

    def moved(self):
        if self.told and self.told["open"]:
            self.tell()

    def tell(self):
        """Writes what is so, where it is not written yet."""
        open_ = sum(1 for front in self.fronts if front.is_behind() and front.exchange.begun)
        told = {"leads": self.leads, "seen": self.seen, "failed": self.failed, "open": open_}
        if told == self.told:
            return
        self.told = told
        path = os.path.join(self.folder, "state")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(told, file)
        os.replace(path + ".new", path)

    async def leave(self, servers):
        for server in servers:
            server.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + LEAVING
        while self.fronts and loop.time() < until:
            for front in list(self.fronts):
                if front.exchange.between() or not front.exchange.begun:
                    front.transport.close()
            await asyncio.sleep(0.02)


async def main(folder, ports):
    loop = asyncio.get_running_loop()
    switch, stop = Switch(folder, ports), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, switch.look)
    servers = []
    for listen, inside in ports:
        make = lambda inside=inside: Front(switch, inside)
        servers.append(await loop.create_server(make, "0.0.0.0", listen, backlog=1024))
    switch.look()  # what it says then is true for whoever asks: the ports are open
    waiting = asyncio.ensure_future(stop.wait())
    while not waiting.done():
        await asyncio.wait([waiting], timeout=1.0)
        switch.look()
        switch.tell()
    await switch.leave(servers)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [tuple(map(int, port.split(":"))) for port in sys.argv[2:]]))

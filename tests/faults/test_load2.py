"""The HTTP/2 clients of the load: they ask again what a server has not begun, and nothing else.

A server over python3-h2 that does one thing with every twentieth request.
"""
import itertools
import socket
import socketserver
import ssl
import threading
from collections import Counter

import h2.config
import h2.connection
import h2.events
import pytest
from h2.errors import ErrorCodes

from rig import content, driver
from rig.background import BackgroundServer

MIX = [("page", "h2", 4), ("upload", "h2", 1), ("row", "h2", 3)]
EVERY = 20


class Server(BackgroundServer):
    def __init__(self, fault, context):
        super().__init__(Handler)
        self.fault, self.context, self.number, self.rows, self.lock = fault, context, itertools.count(1), Counter(), threading.Lock()


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            self.serve()
        except OSError:
            pass

    def serve(self):
        self.sock = self.server.context.wrap_socket(self.request, server_side=True)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.bodies, self.heads, self.begun = {}, {}, 0
        while True:
            self.sock.sendall(self.h2.data_to_send())
            data = self.sock.recv(1 << 16)
            if not data:
                return
            for event in self.h2.receive_data(data):
                if self.take(event) is False:
                    return self.leave()

    def leave(self):
        """Closed with bytes unread it would be reset, and the client might not hear the last frame."""
        self.sock.sendall(self.h2.data_to_send())
        self.sock.shutdown(socket.SHUT_WR)
        while self.sock.recv(1 << 16):
            pass

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.heads[event.stream_id], self.bodies[event.stream_id] = dict(event.headers)[":path"], b""
        elif isinstance(event, h2.events.DataReceived):
            self.bodies[event.stream_id] += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            return self.answer(event.stream_id, self.heads[event.stream_id], self.bodies[event.stream_id])
        return None

    def answer(self, stream, path, body):
        fault = next(self.server.number) % EVERY == 0 and self.server.fault
        if fault == "refused":
            return self.h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
        if fault in ("left", "left too late", "calm"):
            self.h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM if fault == "calm" else 0,
                                     last_stream_id=stream if fault == "left too late" else self.begun)
            return False
        self.begun = stream
        if path.startswith("/page"):
            body = content.page(int(path.rpartition("=")[2]))
        elif path == "/upload":
            body = b"%d %s" % (len(body), content.digest(body).encode())
        else:
            _, client, number = body.split()
            with self.server.lock:
                self.server.rows[int(client), int(number)] += 1
        if fault == "dropped":
            return False
        if fault == "reset":
            return self.h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
        if fault == "wrong":
            body = body[:-1] + b"?"
        self.h2.send_headers(stream, [(":status", "502" if fault == "status" else "200")])
        while self.h2.local_flow_control_window(stream) < len(body):
            for event in self.h2.receive_data(self.sock.recv(1 << 16)):
                self.take(event)
        for at in range(0, len(body), 16384):
            self.h2.send_data(stream, body[at:at + 16384])
        self.h2.end_stream(stream)
        return None


def h2_context(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    context.set_alpn_protocols(["h2"])
    return context


def loaded(fault, authority):
    with Server(fault, h2_context(authority.pair("localhost"))) as server:
        with driver.Load({"h2": server.server_address}, authority.ca, mix=MIX, think=0.001) as load:
            driver.until(lambda: load.answered > 200, "the load", 30)
        return load.report, server.rows


@pytest.mark.parametrize("fault", [None, "refused", "left"])
def test_what_was_not_begun_is_asked_again(authority, fault):
    report, rows = loaded(fault, authority)
    driver.ask(report, rows)
    assert len(rows) == report.answered["row"] and bool(report.retried) == bool(fault)


@pytest.mark.parametrize("fault, seen", [("dropped", "reset"), ("reset", "reset"), ("left too late", "reset"), ("status", "status"), ("wrong", "wrong"),
                                         ("calm", "wrong")])
def test_everything_else_counts(authority, fault, seen):
    report, rows = loaded(fault, authority)
    assert {f.what for f in report.failures} == {seen} and len(report.failures) >= 5
    with pytest.raises(AssertionError, match="requests failed"):
        driver.ask(report, rows)

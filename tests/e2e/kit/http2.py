"""An HTTP/2 client over python3-h2, which checks what the server sends against RFC 9113.

One connection, many streams: open() them, then wait() for the answers. Windows open as data is read, unless the test holds them shut.
"""
import ssl

import h2.config
import h2.connection
import h2.errors
import h2.events

from kit import client
from kit.waiting import SLOW


State, Input = h2.connection.ConnectionState, h2.connection.ConnectionInputs
# The library takes a GOAWAY for the end, and a frame right behind it for an error. The connection goes on: RFC 9113 6.8.
GOES_ON = {**h2.connection.H2ConnectionStateMachine._transitions, (State.CLIENT_OPEN, Input.RECV_GOAWAY): (None, State.CLIENT_OPEN)}


class Answer:
    def __init__(self):
        self.status, self.fields, self.body = None, [], b""
        self.interim = []  # (status, fields) of 1xx
        self.ended, self.reset = False, None

    def __getitem__(self, name):
        values = [v for k, v in self.fields if k == name]
        assert len(values) == 1, "%d of %s in %r" % (len(values), name, self.fields)
        return values[0]

    def __contains__(self, name):
        return any(k == name for k, _ in self.fields)

    def __repr__(self):
        return "<%s %r %r reset=%s>" % (self.status, self.fields, self.body[:200], self.reset)


class Http2:
    def __init__(self, sock, authority="localhost", scheme="http", greedy=True):
        """greedy: windows open by themselves as data comes."""
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.sock, self.authority, self.scheme, self.greedy = sock, authority, scheme, greedy
        self.h2 = h2.connection.H2Connection(config)
        self.h2.local_settings.enable_push = 0
        self.h2.state_machine._transitions = GOES_ON
        self.answers, self.goaways, self.pongs, self.closed = {}, [], 0, False
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def open(self, method="GET", path="/", fields=(), body=None, end=True):
        """A request; its stream. Of a body as much goes as the windows take; send() brings the rest."""
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", self.scheme), (":authority", self.authority), (":path", path), *fields]
        self.answers[stream] = Answer()
        self.h2.send_headers(stream, head, end_stream=end and body is None)
        self.flush()
        if body is not None:
            self.send(stream, body, end)
        return stream

    def send(self, stream, body, end=True):
        at = 0
        while at < len(body):
            n = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body) - at)
            if n == 0:
                if not self.read() or self.answers[stream].ended or self.answers[stream].reset is not None:
                    return
                continue
            self.h2.send_data(stream, body[at:at + n])
            at += n
            self.flush()
        if end:
            self.h2.end_stream(stream)
            self.flush()

    def reset(self, stream, code=h2.errors.ErrorCodes.CANCEL):
        self.h2.reset_stream(stream, code)
        self.flush()

    def read(self):
        """Takes what has come. False: the connection is closed."""
        try:
            data = self.sock.recv(1 << 16)
        except (ConnectionResetError, ssl.SSLEOFError):
            data = b""
        return self.hear(data)

    def hear(self, data):
        if not data:
            self.closed = True
            return False
        for event in self.h2.receive_data(data):
            self.take(event)
        self.flush()
        return True

    def take(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.InformationalResponseReceived):
            answer.interim.append((int(dict(event.headers)[":status"]), event.headers[1:]))
        elif isinstance(event, h2.events.ResponseReceived):
            answer.status, answer.fields = int(event.headers[0][1]), event.headers[1:]
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if self.greedy and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            if answer is not None:
                answer.reset = event.error_code
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((event.error_code, event.last_stream_id))
        elif isinstance(event, h2.events.PingAckReceived):
            self.pongs += 1

    def until(self, condition):
        while not condition():
            if not self.read():
                assert condition(), "the connection was closed: %r %r" % (self.goaways, self.answers)

    def wait(self, *streams):
        """The answers, whole; of one stream its answer."""
        self.until(lambda: all(self.answers[s].ended or self.answers[s].reset is not None for s in streams))
        return self.answers[streams[0]] if len(streams) == 1 else [self.answers[s] for s in streams]

    def request(self, method, path, fields=(), body=None):
        return self.wait(self.open(method, path, fields, body))

    def get(self, path, *fields):
        return self.request("GET", path, fields)

    def ping(self):
        """When it returns the server has taken all that was sent before."""
        seen = self.pongs
        self.h2.ping(b"quintets")
        self.flush()
        self.until(lambda: self.pongs > seen)

    def wait_closed(self):
        while not self.closed:
            self.read()

    def close(self):
        self.sock.close()


def connect(site, tls=None, name="localhost", timeout=20.0, **more):
    """HTTP/2 to this instance: by ALPN with tls, else by prior knowledge."""
    if tls:
        tls.set_alpn_protocols(["h2", "http/1.1"])
    sock = client.connect(site.address("https" if tls else "http"), tls, name, timeout=timeout * SLOW,
                          receive_buffer=more.pop("receive_buffer", None))
    if tls:
        assert sock.selected_alpn_protocol() == "h2"
    c = Http2(sock, scheme="https" if tls else "http", **more)
    site._clients.append(c)
    return c


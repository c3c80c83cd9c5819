"""How a request travelled: what each stage of it took, shown at the foot of every page.

    client ─▶ edge ─▶ queue ─▶ app ─▶ (database, cache) ─▶ page

The server says what happened before the app (`quintet.queue_time` and `quintet.edge_time` in the
environ, seconds; X-Request-ID); under a server that says nothing those rows are left out. The
rest is measured here. The panel is put in its place once the page is complete, so that
the times in it are those of the whole page; the same numbers go out as Server-Timing.
"""
from contextvars import ContextVar
from time import perf_counter

from django.db import connection
from django.template.loader import render_to_string

PANELS = {  # what a page holds the place with, and the template that goes there
    b"<!--journey-->": "store/_journey.html",
    b"<!--timeline-->": "store/_timeline.html",
}
MAX_EVENTS = 100  # of a page that asks more than this only the number is shown

_current = ContextVar("journey", default=None)


def current_journey():
    """The journey of the request in hand, or None outside a request."""
    return _current.get()


class Event:
    """One query: when it began and how long it took, in seconds since the app began."""

    def __init__(self, start, duration, text):
        self.start = start
        self.duration = duration
        self.text = text


class Bar:
    """One row of the drawing: a label, a time, and its place on a line from 0 to 1000."""

    def __init__(self, kind, label, start, duration):
        self.kind = kind
        self.label = label
        self.start = start
        self.duration = duration
        self.x = self.width = ""

    def scale(self, whole):
        """Places the bar; even the shortest is wide enough to be seen."""
        width = min(1000.0, max(4.0, 1000 * self.duration / whole))
        self.width = "%.1f" % width  # a text, so that no locale puts a comma in it
        self.x = "%.1f" % min(1000 * self.start / whole, 1000 - width)


class Journey:
    """The times of one request. Used by one thread at a time."""

    def __init__(self, environ):
        self.began = perf_counter()
        self.edge = self._seconds(environ, "quintet.edge_time")
        self.queue = self._seconds(environ, "quintet.queue_time")
        self.request_id = environ.get("HTTP_X_REQUEST_ID", "")
        self.server = environ.get("SERVER_SOFTWARE", "")
        self.app = 0.0
        self.database = 0.0
        self.queries = 0
        self.events = []
        self.hits = 0
        self.misses = 0

    @staticmethod
    def _seconds(environ, name):
        """A time the server gave, or None: it said nothing or nothing sensible."""
        try:
            seconds = float(environ[name])
        except (KeyError, TypeError, ValueError):
            return None
        return seconds if 0 <= seconds < 86400 else None

    def count_cache(self, hit):
        if hit:
            self.hits += 1
        else:
            self.misses += 1

    def time_query(self, execute, sql, params, many, context):
        """For connection.execute_wrapper(). The parameters are not kept: they may be private."""
        start = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            duration = perf_counter() - start
            self.queries += 1
            self.database += duration
            if len(self.events) < MAX_EVENTS:
                self.events.append(Event(start - self.began, duration, sql))

    def end(self):
        self.app = perf_counter() - self.began

    @property
    def stages(self):
        """(name, seconds, remark) of each stage that is known, in the order of the journey."""
        stages = []
        if self.edge is not None:
            stages.append(("edge", self.edge, ""))
        if self.queue is not None:
            stages.append(("queue", self.queue, ""))
        stages.append(("app", self.app, ""))
        stages.append(("database", self.database, plural(self.queries, "query", "queries")))
        return stages

    @property
    def bars(self):
        """The rows of the drawing: the stages one after the other, queries where they ran."""
        before = (self.edge or 0) + (self.queue or 0)
        whole = max(before + self.app, 1e-6)
        bars = []
        if self.edge is not None:
            bars.append(Bar("edge", "Edge", 0, self.edge))
        if self.queue is not None:
            bars.append(Bar("queue", "Queue", self.edge or 0, self.queue))
        bars.append(Bar("app", "Django", before, self.app))
        for number, event in enumerate(self.events, 1):
            bars.append(Bar("query", "Query %d" % number, before + event.start, event.duration))
        for bar in bars:
            bar.scale(whole)
        return bars

    @property
    def whole(self):
        return (self.edge or 0) + (self.queue or 0) + self.app

    def server_timing(self):
        """The value of Server-Timing, milliseconds (W3C Server Timing)."""
        parts = ["%s;dur=%.2f" % (name, seconds * 1000) for name, seconds, _ in self.stages]
        parts.append('queries;desc="%d"' % self.queries)
        parts.append('cache;desc="%d of %d"' % (self.hits, self.hits + self.misses))
        return ", ".join(parts)


def plural(number, one, many):
    return "%d %s" % (number, one if number == 1 else many)


class JourneyMiddleware:
    """Measures the request, fills in the panel and sends Server-Timing. Must come first."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        journey = request.journey = Journey(request.META)
        token = _current.set(journey)
        try:
            with connection.execute_wrapper(journey.time_query):
                response = self.get_response(request)
        finally:
            _current.reset(token)
        journey.end()
        response["Server-Timing"] = journey.server_timing()
        self._fill_in(response, journey)
        return response

    @staticmethod
    def _fill_in(response, journey):
        """Puts the panels where the page has left room for them."""
        html = response.get("Content-Type", "").startswith("text/html")
        if response.streaming or not html:
            return
        content = response.content
        for marker, template in PANELS.items():
            if marker in content:
                panel = render_to_string(template, {"journey": journey}).encode()
                content = content.replace(marker, panel, 1)
        response.content = content
        if response.has_header("Content-Length"):
            response["Content-Length"] = str(len(content))

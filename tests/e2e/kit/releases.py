"""Releases of an application whose requests wait on demand: ?at=FILE&until=FILE makes the first and waits for the other."""


def release(text):
    """The source of one that answers with these bytes."""
    return """
import os, time
from urllib.parse import parse_qs

def app(environ, start):
    query = parse_qs(environ['QUERY_STRING'])
    start('200 OK', [])
    if 'at' in query:
        open(query['at'][0], 'w').close()
        while not os.path.exists(query['until'][0]):
            time.sleep(0.005)
    return [b'%s']
""" % text

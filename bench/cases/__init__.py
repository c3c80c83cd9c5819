"""The cases, a file a family."""
from cases import bodies, django, http2, idle, mixed, start, static, wsgi

FAMILIES = (wsgi, django, mixed, bodies, static, http2, idle, start)
CASES = {case.name: case for family in FAMILIES for case in family.CASES}

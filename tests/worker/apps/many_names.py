"""Applications under several names, for the spellings of MODULE:CALLABLE."""

import hello


def create_app(greeting=b"made", *, twice=False):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [greeting * (2 if twice else 1) if isinstance(greeting, bytes) else greeting.encode()]

    return app


class Holder:
    app = staticmethod(hello.application)
    make = staticmethod(create_app)


not_callable = 7

"""Hello for worker_budgets.py: one of its pages says where counting begins."""

import os


def application(environ, start_response):
    if environ["PATH_INFO"] == "/from-here":
        os.sched_yield()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]

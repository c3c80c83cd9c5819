import time

BOOTED = time.time_ns()

import atexit

from hello import application  # noqa: F401

print("while importing")
atexit.register(lambda: print("at exit\nunfinished at exit", end=""))

import atexit

import hello

application = hello.application
print("while importing")
atexit.register(lambda: print("at exit\nunfinished at exit", end=""))

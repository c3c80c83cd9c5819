def inner():
    raise RuntimeError("no database today")


try:
    inner()
except RuntimeError as error:
    raise ValueError("boot failed") from error

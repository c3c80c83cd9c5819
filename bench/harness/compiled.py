"""Small programs in C beside this file, compiled once a run: what in Python would cost more than what it measures."""
import functools
import os
import subprocess
import tempfile
from pathlib import Path


@functools.cache
def compiled(name, *libraries):
    """The binary of NAME.c."""
    folder = tempfile.TemporaryDirectory(prefix="quintet-bench-c-")
    compiled.folders.append(folder)  # live as long as we do
    binary = Path(folder.name, name)
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-Wall", "-o", binary, source, *(f"-l{library}" for library in libraries)], check=True)
    return binary


compiled.folders = []

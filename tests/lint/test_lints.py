"""The lints refuse what they are there to refuse, and let the rest pass: each with a bad and a good tree."""

import sys
from pathlib import Path

import pytest

LINTS = Path(__file__).resolve().parents[2] / "scripts" / "lint"
sys.path.insert(0, str(LINTS))

import banned  # noqa: E402
import csource  # noqa: E402
import layers  # noqa: E402
import links  # noqa: E402
import listed  # noqa: E402
import sizes  # noqa: E402


@pytest.fixture
def tree(tmp_path):
    """Writes files into an empty tree: tree({"src/base/a.c": "text"}) returns its root."""
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path
    return write


@pytest.mark.parametrize("path, include, said", [
    ("src/base/a.c", '"os/loop.h"', "base may include only libc"),
    ("src/http/a.c", '"os/loop.h"', "http may include only base"),
    ("src/pool/a.c", '"http/head.h"', "pool may include only"),
    ("src/edge/handler/a.c", '"worker/environ.h"', "not worker"),
    ("src/super/a.c", '"edge/conn.h"', "not edge"),
    ("src/os/a.c", '"../base/buf.h"', "never with ../"),
    ("src/os/a.c", '"base/../http/head.h"', "never with ../"),
    ("src/os/a.c", '"loop.h"', 'as "layer/module.h"'),
    ("src/edge/a.c", "<openssl/ssl.h>", "belongs to os/tls*"),
    ("src/edge/a.c", "<Python.h>", "belongs to worker/*"),
    ("src/edge/a.c", "<nghttp2/nghttp2.h>", "belongs to http/h2*"),
    ("src/http/a.c", "<sys/epoll.h>", "belongs to os/*"),
    ("src/http/a.c", "<sys/socket.h>", "belongs to"),
    ("src/base/a.c", "<cmocka.h>", "belongs to the tests"),
    ("src/colour/a.c", "<stdio.h>", "is no layer"),
    ("tests/unit/http/test_a.c", '"edge/conn.h"', "http may include only base"),
])
def test_layers_refuse(tree, path, include, said):
    root = tree({path: f"/* why */\n#include {include}\n"})
    problems = layers.check(root)
    assert len(problems) == 1 and said in problems[0] and path in problems[0]


@pytest.mark.parametrize("path, include", [
    ("src/os/tls.c", "<openssl/ssl.h>"),
    ("src/os/tls.c", '"base/buf.h"'),
    ("src/os/tls.c", '"os/tls.h"'),
    ("src/os/sock.c", "<sys/socket.h>"),
    ("src/worker/module.c", "<Python.h>"),
    ("src/pack/encoder_gzip.c", "<zlib.h>"),
    ("src/edge/conn.c", '"pool/slot.h"'),
    ("src/main.c", '"edge/edge.h"'),
    ("tests/unit/http/test_a.c", '"http/head.h"'),
    ("tests/unit/http/test_a.c", "<cmocka.h>"),
])
def test_layers_allow(tree, path, include):
    assert layers.check(tree({path: f"#include {include}\n"})) == []


def test_layers_ignore_comments_and_say_the_line(tree):
    root = tree({"src/base/a.c": '/*\n#include "os/loop.h"\n*/\n\n#include "os/loop.h"\n'})
    assert [p.split(": ")[0] for p in layers.check(root)] == ["src/base/a.c:5"]


def function(name, lines, parameters="void"):
    return f"int {name}({parameters})\n{{\n" + "    work();\n" * (lines - 3) + "}\n"


def test_sizes_of_functions(tree):
    root = tree({"src/base/a.c": "\n".join([function("fits", 60), function("is_long", 61), function("too_long", 101)])})
    problems, notes = sizes.check(root)
    assert problems == ["src/base/a.c:124: too_long has 101 lines"]
    assert notes == ["src/base/a.c:62: is_long has 61 lines"]


def test_sizes_of_files(tree):
    problems, _ = sizes.check(tree({"src/base/a.c": "\n" * 801, "src/base/b.c": "\n" * 800}))
    assert [p.split(":")[0] for p in problems] == ["src/base/a.c"]


def test_sizes_of_parameter_lists(tree):
    five = "int a, int b, int (*f)(int, int), struct x *d,\n         void *e"
    root = tree({"src/base/a.c": function("five", 5, five) + "\n" + function("six", 5, five + ", int g")})
    problems, _ = sizes.check(root)
    assert len(problems) == 1 and "six has 6 parameters" in problems[0]


def test_sizes_exceptions_need_a_reason_and_a_use(tree):
    files = {"src/base/a.c": function("six", 5, "int a, int b, int c, int d, int e, int f")}
    root = tree({**files, sizes.ALLOW: "src/base/a.c six the kernel's own signature\n"})
    assert sizes.check(root)[0] == []
    tree({sizes.ALLOW: "src/base/a.c six\n"})
    assert "gives no reason" in sizes.check(root)[0][0]
    tree({sizes.ALLOW: "src/base/a.c six why\nsrc/base/a.c gone why\n"})
    assert "not needed any more" in sizes.check(root)[0][0]


def test_functions_are_found_in_our_layout():
    text = (
        "struct x {\n    int a;\n};\n\n"
        "static const char *\nname_of(const struct x *x)\n{\n    return \"}{\"; /* ( */\n}\n\n"
        "__attribute__((cold)) void panic(const char *a, ...)\n{\n}\n"
    )
    found = csource.functions(text)
    assert [(f.name, f.line, f.length, f.parameters) for f in found] == [("name_of", 6, 4, 1), ("panic", 11, 3, 2)]


@pytest.mark.parametrize("line", [
    "strcpy(a, b);", "n = sprintf (a, b);", "x = atoi(s);", "p = alloca(9);", "strtok(a, b);", "gets(a);",
    "signal(SIGTERM, on_term);", "usleep(9);",
])
def test_banned_refuse(tree, line):
    problems = banned.check(tree({"src/base/a.c": f"/* why */\nint f(void)\n{{\n    {line}\n}}\n"}))
    assert len(problems) == 1 and problems[0].startswith("src/base/a.c:4: ")


@pytest.mark.parametrize("line", [
    "str_strcpy(a, b);", "snprintf(a, 1, b);", "/* strcpy(a, b) */", 'log("strcpy(a)");', "x->signal(3);",
    "x.sleep(3);", "sigaction(1, a, b);", "signal(SIGPIPE, SIG_IGN);",
])
def test_banned_allow(tree, line):
    assert banned.check(tree({"src/base/a.c": f"{line}\n"})) == []


def test_banned_lets_tests_poll(tree):
    root = tree({"tests/unit/base/test_a.c": "usleep(100);\n", "tests/unit/base/test_b.c": "sleep(1);\n"})
    assert [p.split(":")[0] for p in banned.check(root)] == ["tests/unit/base/test_b.c"]


def test_links(tree):
    root = tree({
        "README.md": "# A b\n[ok](docs/a.md) [ok](docs/a.md#two-words) [ok](#a-b) [web](https://example.org/x)\n"
                     "`[code](no.md)`\n```\n[code](no.md)\n```\n[bad](docs/b.md)\n",
        "docs/a.md": "## Two words\n[up](../README.md) [bad](#three)\n",
    })
    assert links.check(root) == [
        "README.md:7: docs/b.md leads nowhere",
        "docs/a.md:2: #three: no such heading",
    ]


def test_listed(tree):
    root = tree({
        "meson.build": "executable('quintet', 'src/main.c')",
        "src/main.c": "",
        "src/base/meson.build": "files('a.c')",
        "src/base/a.c": "",
        "src/edge/meson.build": "files('conn.c', 'handler/file.c')",
        "src/edge/conn.c": "",
        "src/edge/handler/file.c": "",
        "tests/unit/base/meson.build": "foreach name : ['a', 'b']",
        "tests/unit/base/test_a.c": "",
        "tests/fuzz/meson.build": "fuzzers = [['h1', http_dep]]",
        "tests/fuzz/fuzz_h1.c": "",
    })
    assert listed.check(root) == []
    tree({"src/base/b.c": "", "src/edge/handler/app.c": "", "tests/unit/base/test_c.c": "", "tests/fuzz/fuzz_h2.c": ""})
    assert [p.split(":")[0] for p in listed.check(root)] == [
        "src/base/b.c", "src/edge/handler/app.c", "tests/fuzz/fuzz_h2.c", "tests/unit/base/test_c.c",
    ]

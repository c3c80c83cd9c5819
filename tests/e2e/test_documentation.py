"""The examples of docs/user are read by the program itself: none that does not load."""
import re
from pathlib import Path
from textwrap import dedent

import pytest

from test_configuration import run

PAGES = Path(__file__).resolve().parents[2] / "docs" / "user"
FENCED = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^((?:    .*\n|\n)+)", re.MULTILINE)
CONFIGURES = re.compile(r"^(sites|routes|headers|- path):", re.MULTILINE)


def examples():
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text()
        found = [block for block in FENCED.findall(text) if "\nspec:" not in block]  # a pod of Kubernetes
        found += [block for block in map(dedent, INDENTED.findall(text)) if CONFIGURES.search(block)]
        for number, example in enumerate(found, 1):
            yield pytest.param(example, id=f"{page.stem}-{number}")


@pytest.mark.parametrize("example", examples())
def test_an_example_loads(example, tmp_path):
    text = "routes:\n" + example if example.lstrip().startswith("- path:") else example
    (tmp_path / "quintet.yaml").write_text(text)
    done = run("config", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_examples_are_found():
    """A page that is written in another way must not fall out of the test unseen."""
    pages = [case.id.rsplit("-", 1)[0] for case in examples()]
    assert {"sites", "limits", "files", "proxies", "getting-started"} <= set(pages) and pages.count("sites") >= 4, pages

"""The site is built without a warning, fetches nothing, and has a way to every page."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: What a browser loads by itself, without a click.
LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "audio": "src",
    "video": "src",
    "source": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}
#: What a stylesheet loads: `url(...)`, also behind `@import`, and `@import "..."`.
IN_STYLES = re.compile(r"""(?:\burl\(|@import(?=\s*["']))\s*["']?([^"')\s]+)""")


class Links(HTMLParser):
    """What a page loads, links to, and can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in LOADED and LOADED[tag] in given:
            self.loaded.append(given[LOADED[tag]])
        if "srcset" in given:
            self.loaded += [each.split()[0] for each in given["srcset"].split(",")]
        if tag == "a" and "href" in given:
            self.linked.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-b",
            "html",
            "-W",
            "--keep-going",
            "-n",
            "-q",
            "-j",
            "2",
            "docs",
            str(built),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return built


@pytest.fixture(scope="module")
def built_pages(site: Path) -> dict[str, Links]:
    return {
        path.relative_to(site).as_posix(): Links(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
    }


def test_every_page_of_the_folder_is_on_the_site(site: Path) -> None:
    sources = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}

    assert {path for path in sources if not (site / path).is_file()} == set()
    assert len(sources) > 200


def test_nothing_is_loaded_from_another_host(site: Path, built_pages: dict[str, Links]) -> None:
    foreign = {
        (name, address)
        for name, page in built_pages.items()
        for address in page.loaded
        if urlsplit(address).netloc or urlsplit(address).scheme not in ("", "data")
    }
    styles = {
        (path.name, address)
        for path in site.rglob("*.css")
        for address in IN_STYLES.findall(path.read_text(encoding="utf-8"))
        if urlsplit(address).netloc
    }

    assert foreign == set()
    assert styles == set()
    assert any(page.loaded for page in built_pages.values()), "no asset was seen: this test looks past them"


def test_every_link_within_the_site_leads_somewhere(site: Path, built_pages: dict[str, Links]) -> None:
    broken = set()
    for name, page in built_pages.items():
        for address in {*page.linked, *page.loaded}:
            parts = urlsplit(address)
            if not parts.scheme and not parts.netloc and parts.path:
                target = (site / name).parent / unquote(parts.path)
                if not target.exists():
                    broken.add((name, address))

    assert broken == set()


def test_every_page_can_be_reached_by_clicking(site: Path, built_pages: dict[str, Links]) -> None:
    seen, ahead = set(), ["index.html"]
    while ahead:
        name = ahead.pop()
        if name in seen or name not in built_pages:
            continue
        seen.add(name)
        for address in built_pages[name].linked:
            parts = urlsplit(address)
            if not parts.scheme and not parts.netloc and parts.path:
                target = ((site / name).parent / unquote(parts.path)).resolve()
                ahead.append(target.relative_to(site.resolve()).as_posix())

    assert set(built_pages) - seen <= {"genindex.html", "search.html"}


def test_the_sidebar_unfolds_only_where_the_reader_is(site: Path) -> None:
    page = (site / "rules" / "query-inside-loop.html").read_text(encoding="utf-8")
    sidebar = page[page.index('class="sidebar-tree"') : page.index("</aside>")]

    assert "n-plus-one-lazy-attribute-in-loop.html" in sidebar
    assert "cors-wildcard-with-credentials.html" not in sidebar

"""What a page shows is what happens: its commands are run in order, in a scratch folder, with an empty home."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.commands import Differs, Page, Scratch, chain, fits, last_pages, pages, read

MOST_NOT_RUN = 14


def chains() -> list[object]:
    return [
        pytest.param(
            page, id=page.name, marks=[pytest.mark.matrix] if any(p.long for p in chain(page)) else []
        )
        for page in last_pages()
    ]


@pytest.mark.parametrize("page", chains())
def test_every_command_of_the_page_does_what_it_shows(page: Page, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    first, *_ = pages_in_order = chain(page)
    scratch.begin(first)
    for each in pages_in_order:
        scratch.follow(each)


def test_few_blocks_are_shown_only_and_each_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = [each for page in pages().values() for each in page.not_run]

    for each in skipped:
        print(f"{each.page}:{each.line}: {each.reason}")
    assert len(skipped) <= MOST_NOT_RUN
    assert [each for each in skipped if len(each.reason) < 12] == []


def page_of(text: str) -> Page:
    return read("docs/page.md", text)


def follow(text: str, folder: Path) -> Scratch:
    scratch = Scratch(folder)
    scratch.follow(page_of(text))
    return scratch


def test_another_output_than_the_one_shown_is_found(tmp_path: Path) -> None:
    with pytest.raises(Differs, match="prints something else"):
        follow("```console\n$ echo seven\neight\n```\n", tmp_path)


def test_another_exit_code_than_the_one_shown_is_found(tmp_path: Path) -> None:
    with pytest.raises(Differs, match="exit code 3"):
        follow("```console\n$ (exit 3)\n```\n", tmp_path)


def test_an_exit_code_that_the_comment_announces_has_to_come(tmp_path: Path) -> None:
    follow("```console\n$ (exit 3)  # exit code 3\n```\n", tmp_path / "a")
    with pytest.raises(Differs, match="not the 1 shown"):
        follow("```console\n$ true  # exit code 1\n```\n", tmp_path / "b")


def test_a_command_that_would_never_be_run_is_found() -> None:
    with pytest.raises(Differs, match="write ```console"):
        page_of("```bash\narchitect review\n```\n")


def test_a_block_that_stands_in_a_list_is_found_and_not_passed_over() -> None:
    with pytest.raises(Differs, match="never run"):
        page_of("1. First\n\n   ```console\n   $ architect review\n   ```\n")


def test_the_shell_keeps_folder_and_variables_from_one_command_to_the_next(tmp_path: Path) -> None:
    follow(
        "```console\n$ mkdir inner && cd inner\n$ export WORD=kept\n```\n\ntext\n\n"
        '```console\n$ echo "$(basename "$PWD") $WORD"\ninner kept\n```\n',
        tmp_path,
    )


def test_diffs_are_applied_and_one_that_does_not_fit_is_found(tmp_path: Path) -> None:
    write = "<!-- file: a.txt -->\n```text\none\n```\n"
    diff = "```diff\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n```\n"

    done = follow(write + diff, tmp_path / "a")

    assert (done.work / "a.txt").read_text() == "two\n"
    with pytest.raises(Differs, match="does not apply"):
        follow(write.replace("one", "three") + diff, tmp_path / "b")


def test_the_home_of_a_reader_is_empty(tmp_path: Path) -> None:
    follow("```console\n$ ls -A ~ | wc -l\n0\n```\n", tmp_path)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (("one", "..."), "one\ntwo\nthree\n", True),
        (("...", "three"), "one\ntwo\nthree\n", True),
        (("one", "...", "three"), "one\nthree\n", True),
        (("took ... s",), "took 0.31 s\n", True),
        (("one",), "one\ntwo\n", False),
        (("two",), "one\ntwo\n", False),
        (("a.c",), "abc\n", False),
    ],
)
def test_an_ellipsis_stands_for_any_lines_or_any_text(
    shown: tuple[str, ...], printed: str, same: bool
) -> None:
    assert fits(shown, printed) is same


def test_a_page_begins_where_the_page_before_ends() -> None:
    for page in pages().values():
        if page.continues:
            assert page.continues in pages(), f"{page.name} continues {page.continues}, which is no page"
            assert not page.begins_in

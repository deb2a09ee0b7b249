"""Every check of a file's path, beside the one that looks like it and is none."""

import pytest
from tests.dataflow.marked_functions import expected, left

CASES = {
    "nothing is checked": """
        def joined(name):
            opened(os.path.join(ROOT, name))  # left: up, root, unresolved, weak

        def divided(name):
            opened(BASE / name)  # left: up, root, unresolved, weak

        def written_behind_a_folder(name):
            opened(f"{ROOT}/{name}")  # left: up, unresolved, weak

        def added_to_a_folder(name):
            opened("/srv/files/" + name)  # left: up, unresolved, weak
    """,
    "a folder and its parents": """
        def resolved_and_inside(name):
            target = (BASE / name).resolve()
            if not target.is_relative_to(BASE):
                raise HTTPException(404)
            opened(target)  # left: nothing

        def inside_but_not_resolved(name):
            target = BASE / name
            if not target.is_relative_to(BASE):
                raise HTTPException(404)
            opened(target)  # left: unresolved

        def resolved_only(name):
            opened((BASE / name).resolve())  # left: up, root, weak

        def resolved_after_the_check(name):
            target = BASE / name
            if not target.is_relative_to(BASE):
                raise HTTPException(404)
            opened(target.resolve())  # left: unresolved

        def the_name_is_used_again(name):
            if not (BASE / name).resolve().is_relative_to(BASE):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def another_name(name, other):
            if not (BASE / other).resolve().is_relative_to(BASE):
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def asserted(name):
            target = (BASE / name).resolve()
            assert target.is_relative_to(BASE)
            opened(target)  # left: up, root, weak

        def result_discarded(name):
            target = (BASE / name).resolve()
            target.is_relative_to(BASE)
            opened(target)  # left: up, root, weak

        def logged_only(name):
            target = (BASE / name).resolve()
            if not target.is_relative_to(BASE):
                print("outside")
            opened(target)  # left: up, root, weak

        def relative_to_raises(name):
            target = (BASE / name).resolve()
            try:
                target.relative_to(BASE)
            except ValueError:
                raise HTTPException(404)
            opened(target)  # left: nothing

        def relative_to_is_ignored(name):
            target = (BASE / name).resolve()
            try:
                target.relative_to(BASE)
            except ValueError:
                pass
            opened(target)  # left: up, root, weak

        def relative_to_without_resolving(name):
            target = BASE / name
            try:
                target.relative_to(BASE)
            except ValueError:
                raise HTTPException(404)
            opened(target)  # left: unresolved

        def among_the_parents(name):
            target = (BASE / name).resolve()
            if BASE not in target.parents:
                raise HTTPException(404)
            opened(target)  # left: nothing

        def among_the_parents_or_the_folder_itself(name):
            base = BASE.resolve()
            target = (base / name).resolve()
            if base != target and base not in target.parents:
                raise HTTPException(404)
            opened(target)  # left: nothing

        def right_below(name):
            target = BASE / name
            if target.parent != BASE:
                raise HTTPException(404)
            opened(target)  # left: nothing

        def bound_again_after_the_check(name, other):
            target = (BASE / name).resolve()
            if not target.is_relative_to(BASE):
                raise HTTPException(404)
            name = other
            opened(BASE / name)  # left: up, root, unresolved, weak
    """,
    "texts": """
        def common_path(name):
            full = os.path.realpath(os.path.join(ROOT, name))
            if os.path.commonpath([ROOT, full]) != ROOT:
                raise HTTPException(404)
            opened(full)  # left: nothing

        def common_path_of_an_unresolved_one(name):
            full = os.path.join(ROOT, name)
            if os.path.commonpath([ROOT, full]) != ROOT:
                raise HTTPException(404)
            opened(full)  # left: unresolved

        def common_prefix(name):
            full = os.path.realpath(os.path.join(ROOT, name))
            if os.path.commonprefix([ROOT, full]) != ROOT:
                raise HTTPException(404)
            opened(full)  # left: up, root, weak

        def starts_with_a_separator(name):
            full = os.path.abspath(os.path.join(ROOT, name))
            if not full.startswith(ROOT + os.sep):
                raise HTTPException(404)
            opened(full)  # left: nothing

        def starts_without_a_separator(name):
            full = os.path.abspath(os.path.join(ROOT, name))
            if not full.startswith(ROOT):
                raise HTTPException(404)
            opened(full)  # left: weak

        def starts_and_is_not_resolved(name):
            full = os.path.join(ROOT, name)
            if not full.startswith(ROOT + "/"):
                raise HTTPException(404)
            opened(full)  # left: unresolved

        def starts_with_a_formatted_separator(name):
            full = Path(ROOT, name).resolve()
            if not str(full).startswith(f"{BASE}/"):
                raise HTTPException(404)
            opened(full)  # left: nothing

        def resolved_in_the_test(name):
            full = os.path.join(ROOT, name)
            if not os.path.realpath(full).startswith(ROOT + os.sep):
                raise HTTPException(404)
            opened(full)  # left: nothing
    """,
    "last parts": """
        def path_name(name):
            opened(BASE / Path(name).name)  # left: nothing

        def base_name(name):
            opened(os.path.join(ROOT, os.path.basename(name)))  # left: nothing

        def secured(name):
            opened(os.path.join(ROOT, secure_filename(name)))  # left: nothing

        def behind_the_last_slash(name):
            opened(ROOT + "/" + name.rsplit("/", 1)[-1])  # left: nothing

        def before_the_first_slash(name):
            opened(ROOT + "/" + name.split("/", 1)[1])  # left: up, unresolved, weak

        def suffix(name):
            opened(BASE / f"cover{Path(name).suffix}")  # left: nothing

        def the_suffix_is_checked(name):
            if Path(name).suffix not in {".png", ".jpg"}:
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def the_end_is_checked(name):
            if not name.lower().endswith((".png", ".jpg")):
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def a_split_suffix_is_checked(name):
            suffix = name.split(".")[-1]
            if suffix not in {"png", "jpg"}:
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def a_split_suffix_is_used(name):
            suffix = name.split(".")[-1]
            if suffix not in {"png", "jpg"}:
                raise HTTPException(404)
            opened(BASE / f"cover.{suffix}")  # left: nothing

        def same_as_its_last_part(name):
            if name != os.path.basename(name):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def same_as_its_name(name):
            if Path(name).name != name:
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def only_files_of_these_names(name):
            if os.path.basename(name) not in {"a.json", "b.json"}:
                raise HTTPException(404)
            opened(name)  # left: weak

        def glued(name):
            opened(BASE / f"report-{name}")  # left: weak
    """,
    "texts within": """
        def no_dots(name):
            if ".." in name:
                raise HTTPException(404)
            opened(BASE / name)  # left: root

        def no_dots_behind_a_folder(name):
            if ".." in name:
                raise HTTPException(404)
            opened(f"{ROOT}/{name}")  # left: nothing

        def no_dots_and_relative(name):
            if ".." in name or name.startswith("/"):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def no_dots_and_not_absolute(name):
            if os.path.isabs(name) or ".." in Path(name).parts:
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def no_part_is_dots(name):
            if any(part == ".." for part in Path(name).parts) or Path(name).is_absolute():
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def no_dots_of_a_resolved_one(name):
            target = (BASE / name).resolve()
            if ".." in str(target):
                raise HTTPException(404)
            opened(target)  # left: up, root, weak

        def dots_found(name):
            if name.find("..") != -1:
                raise HTTPException(404)
            opened(f"{ROOT}/{name}")  # left: nothing

        def dots_at_the_beginning_only(name):
            if name.startswith(".."):
                raise HTTPException(404)
            opened(f"{ROOT}/{name}")  # left: up, unresolved, weak

        def dots_at_the_beginning_of_a_normal_one(name):
            name = os.path.normpath(name)
            if name.startswith("..") or os.path.isabs(name):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def dots_at_the_beginning_of_a_joined_one(name):
            full = os.path.normpath(os.path.join(ROOT, name))
            if full.startswith(".."):
                raise HTTPException(404)
            opened(full)  # left: up, root, weak

        def no_slash(name):
            if "/" in name or "\\\\" in name:
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def either_is_enough_for_the_author(name):
            if ".." in name and name.startswith("/"):
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def none_of_these(name):
            if any(bad in name for bad in ("..", "/", "\\\\")):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def the_target_was_made_before(name):
            target = BASE / name
            if ".." in name or name.startswith("/"):
                raise HTTPException(404)
            opened(target)  # left: nothing

        def the_target_was_decoded_before(name):
            target = f"{ROOT}/{unquote(name)}"
            if ".." in name:
                raise HTTPException(404)
            opened(target)  # left: up, unresolved, weak

        def dots_removed_once(name):
            opened(f"{ROOT}/" + name.replace("../", ""))  # left: up, unresolved, weak

        def dots_removed(name):
            opened(f"{ROOT}/" + name.replace("..", ""))  # left: nothing

        def slashes_replaced(name):
            opened(BASE / name.replace("/", "_"))  # left: nothing

        def leading_slashes_removed(name):
            opened(BASE / name.lstrip("/"))  # left: up, unresolved, weak
    """,
    "lists and patterns": """
        NAMES = {"a.txt", "b.txt"}
        FILES = {"a": "a.txt"}

        def listed(name):
            if name not in NAMES:
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def in_the_folder(name):
            if name not in os.listdir(ROOT):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def looked_up(name):
            opened(BASE / FILES[name])  # left: nothing

        def of_a_pattern(name):
            if not re.fullmatch(r"[a-z0-9_-]+\\.txt", name):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def of_an_open_pattern(name):
            if not re.match(r"[a-z0-9_-]+", name):
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def of_a_pattern_with_slashes(name):
            if not re.fullmatch(r"[a-z0-9_./-]+", name):
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def nothing_else_found(name):
            if re.search(r"[^a-zA-Z0-9_.-]", name):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def others_removed(name):
            opened(BASE / re.sub(r"[^\\w.-]", "_", name))  # left: nothing

        def others_but_slashes_removed(name):
            opened(BASE / re.sub(r"[^\\w./-]", "_", name))  # left: up, root, unresolved, weak
    """,
    "helpers": """
        def _ensure_inside(path):
            if not path.resolve().is_relative_to(BASE):
                raise HTTPException(404)

        def raised_inside(name):
            target = BASE / name
            _ensure_inside(target)
            opened(target)  # left: nothing

        def raised_inside_for_what_is_joined(name):
            _ensure_inside(BASE / name)
            opened(BASE / name)  # left: nothing

        def _is_inside(path):
            try:
                path.resolve().relative_to(BASE)
                return True
            except ValueError:
                return False

        def answered(name):
            target = BASE / name
            if not _is_inside(target):
                raise HTTPException(404)
            opened(target)  # left: nothing

        def answered_and_ignored(name):
            target = BASE / name
            _is_inside(target)
            opened(target)  # left: up, root, unresolved, weak

        def _is_ok(name):
            if not name:
                return False
            if ".." in name or name.startswith("/"):
                return False
            return True

        def answered_by_several(name):
            if not _is_ok(name):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def _is_text(name):
            if not name:
                return False
            return True

        def answered_about_something_else(name):
            if not _is_text(name):
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def _problem(name):
            if "/" in name:
                return "no slashes"
            return None

        def a_problem_is_told(name):
            problem = _problem(name)
            if problem:
                raise HTTPException(404, problem)
            opened(BASE / name)  # left: nothing

        def _validated(name):
            if "/" in name:
                return False, "no slashes"
            return True, ""

        def answered_with_a_text(name):
            ok, text = _validated(name)
            if not ok:
                raise HTTPException(404, text)
            opened(BASE / name)  # left: nothing

        def _located(name):
            target = (BASE / name).resolve()
            if not target.is_relative_to(BASE):
                raise HTTPException(404)
            return target

        def located(name):
            opened(_located(name))  # left: nothing

        async def _allows(name):
            return "/" not in name

        async def awaited(name):
            if not await _allows(name):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        def _lies_in(path, folder):
            try:
                path = Path(path).resolve()
                return bool(path.relative_to(folder))
            except ValueError:
                return False

        def answered_about_the_same_name_resolved(name):
            target = (BASE / name).resolve()
            if not _lies_in(target, BASE):
                raise HTTPException(404)
            opened(target)  # left: nothing

        def _is_a_file(path):
            path = Path(path).resolve()
            return path.is_file()

        def answered_about_existence(name):
            if not _is_a_file(BASE / name):
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak

        def _is_safe(folder, name):
            asked = folder / name
            asked = asked.resolve()
            return asked.is_relative_to(folder.resolve())

        def answered_in_two_steps(name):
            if not _is_safe(BASE, name):
                raise HTTPException(404)
            opened(BASE / name)  # left: nothing

        async def not_awaited(name):
            if not _allows(name):
                raise HTTPException(404)
            opened(BASE / name)  # left: up, root, unresolved, weak
    """,
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_left_of_a_path(case):
    assert left(CASES[case]) == expected(CASES[case])

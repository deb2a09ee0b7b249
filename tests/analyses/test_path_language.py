import pytest

from fastapi_architect.analyses.path_language import PathLanguage, below, language


def of(template: str) -> PathLanguage:
    found = language(template)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("first", "second", "covers", "meets"),
    [
        ("/users/{id}", "/users/me", True, True),
        ("/users/{id:int}", "/users/me", False, False),
        ("/users/{id:int}", "/users/12", True, True),
        ("/users/{id}", "/users/{id}/", False, False),
        ("/{p:path}", "/", True, True),
        ("/a/{p:path}", "/a", False, False),
        ("/{a}/x", "/x/{b}", False, True),
        ("/{a}/{b}", "/x/{c:int}", True, True),
        ("/{a:float}", "/{a:int}", True, True),
        ("/{a:int}", "/{a:float}", False, True),
        ("/{u}", "/{u:uuid}", True, True),
        ("/{u:uuid}", "/{u}", False, True),
        ("/f-{a}", "/f-{a}.json", True, True),
        ("/{a}.json", "/{b}", False, True),
        ("/{a}", "/{b:path}", False, True),
    ],
)
def test_one_template_covers_or_meets_another(first: str, second: str, covers: bool, meets: bool) -> None:
    assert (of(first).covers(of(second)), of(first).meets(of(second))) == (covers, meets)


def test_a_template_with_an_unknown_part_or_converter_has_no_language() -> None:
    assert [language("/{?}/users"), language("/users/{id:custom}")] == [None, None]


def test_a_mount_takes_what_lies_behind_its_slash() -> None:
    mount = below("/static")
    assert mount is not None
    assert [mount.covers(of(path)) for path in ("/static/a/b", "/static/", "/static")] == [True, True, False]


def test_parameters_of_a_template_hold_parts_of_a_path() -> None:
    assert of("/users/{id}/{tab}").values_in(of("/users/me/posts")) == {"id": "me", "tab": "posts"}

"""Something new is wanted: the plan of its components for this project, or a new service where there is none yet."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.lock import FOLDER
from fastapi_architect.builder.presets import PRESETS, components_of
from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.persona.pending import Change
from fastapi_architect.persona.plans import Planned, component
from fastapi_architect.persona.replies.locating import locate
from fastapi_architect.persona.replies.nothing_here import name_for
from fastapi_architect.persona.replies.slow import security_first
from fastapi_architect.persona.replies.wording import cell, commands, counted, line, routes_table, table
from fastapi_architect.persona.understanding import Understood
from fastapi_architect.records.suggestion import suggest, suggestion

_FILES = 10
_SENTENCE = 200


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be built.

    Attributes:
        what: in a few words.
        components: names, the one that matters most first.
        options: (name, what speaks for it, what speaks against it), the recommended first; empty where there is one way.
        decision: topic and title of a decision record; empty for none.
        code: blocks of code that belong to it.
        questions: business rules that nobody but the user knows.
    """

    what: str
    components: tuple[str, ...]
    options: tuple[tuple[str, str, str], ...] = ()
    decision: tuple[str, str] = ("", "")
    code: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


def answer(hands: Hands, understood: Understood, wish: Wish) -> Answer:
    """The plan."""
    if hands.is_empty:
        return begin(hands, wish)
    planned = hands.plan(wish.components)
    if planned.plan is not None:
        hands.pending.add(Change.of_plan(planned))
    meant = locate(understood, hands.operations) if understood.path or understood.words else ()
    security = _grave(hands, meant)
    return Answer(
        context=_context(understood, wish, planned, meant),
        approach=_approach(wish, planned),
        implementation="\n\n".join(
            [*security_first(hands, security), *_implementation(wish, planned, meant)]
        ),
        validation=_validation(planned),
        considerations=_considerations(wish, planned),
        follow_ups=tuple(_follow_ups(wish, planned)),
    )


def decision_sentence(topic: str, title: str) -> str:
    """What the user is asked before a decision record is written."""
    return line(suggestion((topic,), title).sentence)


def options_table(options: Sequence[tuple[str, str, str]]) -> str:
    """Ways with what speaks for and against each; the first is recommended."""
    rows = (
        (f"**{cell(name)}**" + (" (recommended)" if not n else ""), cell(for_it), cell(against))
        for n, (name, for_it, against) in enumerate(options)
    )
    return table(("Option", "For it", "Against it"), rows)


# ── in a project that is there ───────────────────────────────────────────────────────────────────────────────────


def _grave(hands: Hands, meant: Sequence[Document]) -> list[Document]:
    """Grave findings of security on the routes that are meant."""
    routes = {each["route"] for each in meant}
    if not routes:
        return []

    def concerns(finding: Document) -> bool:
        return finding["severity"] in ("critical", "important") and bool(routes & set(finding["routes"]))

    return list(hands.review(("security",), only=concerns).findings)


def _context(understood: Understood, wish: Wish, planned: Planned, meant: Sequence[Document]) -> str:
    said = [f"Asked: {wish.what}."]
    if planned.plan is not None:
        said += [line(each, _SENTENCE) for each in planned.plan.context]
    if meant:
        names = ", ".join("`" + line(each["route"], 60) + "`" for each in meant[:4])
        said.append(f"Routes that your words name: {names}.")
    elif understood.path:
        said.append(f"There is no route `{line(understood.path)}` yet.")
    if planned.present:
        said.append(f"There already: {', '.join(f'`{name}`' for name in planned.present)}.")
    for name, reason in planned.refused.items():
        said.append(f"`{name}` cannot be added as things are: {line(reason, 240)}.")
    return " ".join(each if each.endswith(".") else f"{each}." for each in said)


def _approach(wish: Wish, planned: Planned) -> str:
    parts = []
    if planned.plan is not None:
        parts.append(" ".join(line(each, _SENTENCE) for each in planned.plan.approach))
    elif not planned.refused:
        parts.append("The components are there already; what is left is to use them.")
    else:
        parts.append(
            "None of the components can be added before the reason above is gone; the steps below do that."
        )
    if wish.options:
        parts.append("There are several ways; the choice is yours:\n\n" + options_table(wish.options))
    return "\n\n".join(parts)


def _implementation(wish: Wish, planned: Planned, meant: Sequence[Document]) -> list[str]:
    parts: list[str] = []
    if planned.plan is not None:
        parts += [commands(f"{planned.command} --dry-run --diff", planned.command), _changes(planned)]
    elif planned.refused:
        steps = "\n".join(f"{n}. {line(reason, 240)}" for n, reason in enumerate(planned.refused.values(), 1))
        parts.append("What stands in the way, and the step that removes it:\n\n" + steps)
        parts.append(
            commands(
                "architect components " + next(iter(planned.refused)),
                "architect new my-service --preset standard",
            )
        )
    parts += wish.code
    if meant:
        parts.append(f"The routes as they are:\n\n{routes_table(meant[:6])}")
    return parts


def _changes(planned: Planned) -> str:
    assert planned.plan is not None
    plan = planned.plan
    rows: list[tuple[str, str]] = []
    for name in plan.components:
        spec = component(name)
        count = sum(1 for f in plan.files if f.id.startswith(f"{name}/"))
        if count:
            rows.append((f"new: component `{name}` ({counted(count, 'file')})", cell(spec.summary)))
    rows += [
        (f"edit: `{line(e.path)}`", cell(e.what, 120))
        for e in plan.edits
        if not e.path.startswith(f"{FOLDER}/")
    ]
    rows += [
        (f"set: `{variable}`", cell(text, 120)) for variable, _, text, required in plan.settings if required
    ]
    shown = rows[:_FILES]
    tail = (
        f"\n\n{counted(len(rows) - len(shown), 'further change')}: the dry run shows them."
        if len(rows) > len(shown)
        else ""
    )
    steps = "".join(f"\n{n}. {line(step, _SENTENCE)}" for n, step in enumerate(plan.manual_steps[:4], 1))
    by_hand = f"\n\nBy hand, in this order:\n{steps}" if steps else ""
    return table(("Change", "What it brings"), shown) + tail + by_hand


def _validation(planned: Planned) -> str:
    if planned.plan is None and not planned.refused:
        return "Done when your own tests pass, and the review reports nothing new.\n\n" + commands(
            "architect review"
        )
    if planned.plan is None:
        return "Done when the dry run prints a plan.\n\n" + commands(
            f"architect add {' '.join(planned.refused)} --dry-run"
        )
    lines = [each for each in planned.plan.validation if each.startswith(("python ", "make ", "pytest"))]
    said = [
        line(each, 160)
        for each in planned.plan.validation
        if each not in lines and not each.startswith("architect review")
    ]
    goal = "Done when the component's own tests pass, and the review reports nothing new."
    return " ".join([goal, *said]) + "\n\n" + commands(*lines, "architect review")


def _considerations(wish: Wish, planned: Planned) -> str:
    said = []
    if planned.plan is not None:
        said += [line(each, _SENTENCE) for each in planned.plan.considerations[:3]]
        tables = [t for name in planned.plan.components for m in component(name).migrations for t in m.tables]
        if tables:
            said.append(
                "Schema change: the tables are new, existing ones stay as they are; run the migration before the new code serves."
            )
    if planned.resolves:
        said.append(f"It answers the rules {', '.join(f'`{name}`' for name in planned.resolves[:5])}.")
    if planned.beside:
        said.append(
            "The project has an engine or client of its own, and the components bring theirs beside it (`--beside`): two pools share the "
            "server's connections until your sessions come from one of them."
        )
    suggested = suggest(planned.plan) if planned.plan is not None else None
    if suggested is not None:
        said.append(line(suggested.sentence))
    elif wish.decision[0]:
        said.append(decision_sentence(*wish.decision))
    return " ".join(said) or "It changes nothing that is there."


def _follow_ups(wish: Wish, planned: Planned) -> list[str]:
    said = list(wish.questions)
    if planned.plan is not None:
        said.append(f"Shall I write it? `{planned.command}` asks once more before anything is written.")
    return said[:3]


# ── where there is nothing yet ───────────────────────────────────────────────────────────────────────────────────


def begin(hands: Hands, wish: Wish) -> Answer:
    """A new service with the components, in a folder of its own."""
    catalog = load_catalog()
    closure = {spec.name for spec in catalog.closure(wish.components)} if wish.components else set()
    preset, more = next(
        ((name, ()) for name in PRESETS if closure <= set(components_of(name, catalog))),
        ("standard", tuple(n for n in wish.components if n not in components_of("standard", catalog))),
    )
    name = name_for(hands)
    option = f" --with {','.join(more)}" if more else ""
    held = catalog.closure((*components_of(preset, catalog), *more))
    rows = ((f"`{spec.name}`", cell(spec.summary)) for spec in (component(n) for n in wish.components))
    hands.pending.add(Change(kind="new", name=name, preset=preset, components=tuple(more)))
    here = line(hands.workspace.root.name)
    there = (
        "no application,"
        if hands.is_empty
        else f"an application with {counted(len(hands.operations), 'route')}, which stays as it is,"
    )
    return Answer(
        context=f"Asked: {wish.what}. In `{here}` there is {there} so it begins with a new service in a folder of its own.",
        approach=f"The preset `{preset}` ({PRESETS[preset][0]}) holds what is asked for: {counted(len(held), 'component')} of "
        f"ordinary, typed code "
        "with their tests, which is yours. PostgreSQL through one pooled engine and a session a request; nothing of ours runs in it."
        + ("\n\n" + options_table(wish.options) if wish.options else ""),
        implementation="\n\n".join(
            [
                commands(
                    f"architect new {name} --preset {preset}{option}", f"cd {name}", "make run", "make test"
                ),
                table(("Component", "What it brings"), rows) if wish.components else "",
                *wish.code,
            ]
        ).strip(),
        validation="Done when `make test` passes on real servers and the review is clean.\n\n"
        + commands("make test", "architect review"),
        considerations="`make run` brings PostgreSQL and Redis as Python wheels for development; production names its own by URL. "
        "The pool is `DATABASE_*` in `.env.example`: all processes together must stay below the server's connections."
        + (f" {decision_sentence(*wish.decision)}" if wish.decision[0] else ""),
        follow_ups=tuple(
            [*wish.questions, "What is the service called, and who calls it: browsers, programs, or both?"][
                :3
            ]
        ),
    )

"""Which tables stay small: lookups and settings, by their names or by what their rows hold."""

from __future__ import annotations

import re

from fastapi_architect.appgraph.tables import Table
from fastapi_architect.source.lazy_pattern import lazy_pattern

_SMALL = lazy_pattern(
    r"role|permission|config|setting|countr|currenc|language|categor|plan|tenant|organi[sz]ation|workspace|provider|"
    r"feature|flag|option|template|migration|version|enum|lookup|dict|menu|dept|department|preference|policy|connector|"
    r"type$|api_?key",
    re.IGNORECASE,
)


def stays_small(name: str) -> bool:
    """The name of a table or a model says that its rows are few."""
    return _SMALL.search(name) is not None


#: Rows that people make by hand, a few at a time: usually few, though nothing holds them to it.
_MADE_BY_HAND = lazy_pattern(
    r"invit(e|ation)s?$|director(y|ies)$|folders?$|(^|_)trees?$|taxonom|codes?$|groups?$|teams?$|labels?$|rules?$|projects?$|presets?$|"
    r"(^|_|[a-z])(tools?|personas?|assistants?|fleets?|volumes?|bots?|servers?|clusters?|periods?|integrations?)$|document_?sets?$|"
    r"severit(y|ies)$|priorit(y|ies)$|region(s)?$|(^|_|[a-z])status(es)?$",
    re.IGNORECASE,
)
#: Codes that are made for each attempt of each person.
_ISSUED = lazy_pattern(
    r"(verif|auth|confirm|reset|login|otp|sms|e?mail|access|device|recovery|backup|promo|coupon|voucher|discount|"
    r"referral|gift|qr|bar|short|activation|security|one_?time|two_?factor)\w*codes?$",
    re.IGNORECASE,
)


#: Who administers: a few people, with their invitations and tokens. What they do is written down without end.
_ADMINISTRATORS = lazy_pattern(
    r"^(super_?)?(admin(istrator)?|superuser|staff|moderator|operator)", re.IGNORECASE
)
_HAPPENS = lazy_pattern(
    r"log|audit|action|event|message|activit|histor|notif|session|task|visit", re.IGNORECASE
)


def tends_to_stay_small(name: str) -> bool:
    """Likewise, or its rows are made by hand (invitations, folders, groups, codes of a register), or are administrators.

    A reason to lower, not to be silent.
    """
    return (
        stays_small(name)
        or (_MADE_BY_HAND.search(name) is not None and not _ISSUED.search(name))
        or (_ADMINISTRATORS.search(name) is not None and not _HAPPENS.search(name))
    )


_NAMES = frozenset({"name", "title", "label"})
#: What people set on an entry of a list to choose from, and never on something that happens.
_CHOICE = lazy_pattern(
    r"^(is_)?default$|^(display|view|sort|list)_?(order|index)$|^(position|ordinal|rank|colou?r|icon)$",
    re.IGNORECASE,
)


def is_list_of_choices(table: Table) -> bool:
    """Its rows have a name and a colour, a place in an order, or the mark of the default: people choose one of them."""
    names = {column.name for column in table.columns}
    return not names.isdisjoint(_NAMES) and any(_CHOICE.search(name) for name in names)

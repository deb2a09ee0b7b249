"""Which passwords of enough characters are guessed first nevertheless.

Lists of breached passwords hold few of twelve characters, and those few are made of the same parts: a word everybody
uses, a run of the keyboard, a year. What is left of a password without these parts has to be something.
"""

import re
import unicodedata
from collections.abc import Iterable

#: From the heads of published lists of breached passwords.
_WORDS = """
password passwort passwd passw0rd contrasena motdepasse parola senha secret geheim private login access
admin administrator root user guest test default changeme change welcome willkommen bonjour hello letmein
iloveyou iloveu loveyou love trustno one princess prinzessin sunshine shadow master dragon monkey football
baseball basketball soccer hockey superman batman pokemon starwars whatever freedom flower cheese summer
winter spring autumn fall january february march april june july august september october november december
monday friday sunday michael jennifer jessica charlie daniel thomas jordan hunter ashley andrew robert
matthew george buster tigger computer internet server google facebook linkedin samsung microsoft windows
apple android company security mustang harley ferrari porsche yankees chelsea liverpool arsenal barcelona
juventus lovely angel babygirl correct horse battery staple correcthorsebatterystaple killer pepper ginger
cookie chocolate banana orange purple qwerty qwertz azerty qweasd zxcvbn asdfgh qazwsx wsxedc abc forever
always never mylove family mother father
"""
WORDS = frozenset(_WORDS.split())
RUNS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "zxcvbnmasdfghjklqwertyuiop",
)
#: Shorter parts than this are no part: every password holds some.
_SHORTEST_RUN = 3
_ENOUGH = 5
_LEET = str.maketrans("013457@$!", "oieastasi")
_YEAR = re.compile(r"(19|20)\d\d")


def is_common(password: str, personal: Iterable[str] = ()) -> bool:
    """Say whether little is left of a password without what everybody tries.

    Args:
        password: as its owner typed it.
        personal: what an attacker knows of them, such as the e-mail address.
    """
    plain = unicodedata.normalize("NFKC", password).casefold()
    words = [*WORDS, *(word for text in personal for word in _words(text))]
    # Read as digits first: `1234` is a run, and `iea` is none.
    for text in (plain, plain.translate(_LEET)):
        rest = _without(_YEAR.sub(" ", _once(text)), words)
        if len(set(re.sub(r"[\W\d_]", "", rest))) + len(set(re.sub(r"\D", "", rest))) < _ENOUGH:
            return True
    return False


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"\W+|_", text.casefold()) if len(word) >= _SHORTEST_RUN]


def _once(text: str) -> str:
    """Return `abc` for `abcabcabcabc`: repetition adds length and nothing to guess."""
    period = (text + text).find(text, 1)
    return text[:period]


def _without(text: str, words: list[str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, " ")
    for run in RUNS:
        for length in range(len(run), _SHORTEST_RUN - 1, -1):
            for start in range(len(run) - length + 1):
                text = text.replace(run[start : start + length], " ")
    return text

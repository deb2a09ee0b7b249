"""What was asked for lately."""

words: set[str] = set()


def remember(word: str) -> None:
    words.add(word)

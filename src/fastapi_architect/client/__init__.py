"""The other end of SecAPI: what `architect scan` packs, sends, waits for and is told. Of the standard library alone."""

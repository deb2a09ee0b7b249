"""Parts of a production service: real modules that `architect new` and `architect add` copy, and that SecAPI imports.

They import each other relatively and nothing of the analyser, so that a copy is the same file, byte for byte.
"""

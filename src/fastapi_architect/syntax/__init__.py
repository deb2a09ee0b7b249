"""Text to `ParsedModule`: parsed once, lowered once to a compact typed IR."""

"""Who is it? Passwords, tokens, sessions, schemes."""

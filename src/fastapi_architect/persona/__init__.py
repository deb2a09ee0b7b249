"""The architect as a person one talks to: who it is, how it answers, and what holds its answers to the evidence."""

"""What other tools found, or our own engine elsewhere: read from SARIF or from its JSON report, and kept apart by who found it."""

"""What an attacker can use."""

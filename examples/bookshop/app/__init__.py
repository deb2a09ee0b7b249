"""A bookshop: accounts, a catalogue, orders, reviews and payments."""

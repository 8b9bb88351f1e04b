"""The queue of jobs under load: a million rows, accounts side by side, and a hundred thousand interleavings."""

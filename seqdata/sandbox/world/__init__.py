"""The world that the sandbox shows: households, their books, a clock, and the truth of it all."""

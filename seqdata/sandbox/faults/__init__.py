"""Faults on demand: the queue of those asked for, and what each kind does."""

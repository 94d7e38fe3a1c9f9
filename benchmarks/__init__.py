"""What seqdata costs, measured: requests, seconds, memory.

Each module measures one thing, prints a table and writes it to ``benchmarks/results/``:
``python -m benchmarks.start_up``. All of them and the summary: ``python -m benchmarks``.
Every measurement runs in a process of its own, so that memory and imports are its own too.
"""

"""What becomes of jobs while processes are killed: `python -m bench.faults`.

`kills` ends processes at random under a standing backlog, `named` does the five faults that public benchmarks of queues
name, and compares the throughput before and after.
"""

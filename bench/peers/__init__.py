"""What others would use for the same jobs, one module each: `python -m bench.peers.NAME INPUT ... OUTPUT`.

They run in a virtual environment of their own, import nothing of ASTRA, and write with the settings that it has.
"""

"""Measurements that anyone can run on Linux: `python -m bench`."""

"""Measurements that anyone can run: `python -m bench.full_scene`."""

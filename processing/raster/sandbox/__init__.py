"""A small catalogue of invented scenes, for test keys, the demo and the tests: same code path, no network."""

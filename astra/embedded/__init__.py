"""The whole service on one machine: broker, web, workers and beat as children of one command.

`processes` lists them, `supervisor` keeps them running, `guard` ends them if the supervisor is killed.
"""

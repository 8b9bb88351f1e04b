"""Who is calling: accounts, their plans and API keys. Knows nothing of jobs.

Django loads this package before its models may be imported, so it exports nothing: import from its modules.
"""

"""What callers and jobs notice while a server behind the service is away: `python -m bench.outages`.

`cases` are the outages, `callers` measure what callers notice, `gate` is what stands between the service and a server.
"""

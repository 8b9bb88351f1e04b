"""How far a result can be trusted: what the metadata of its scenes and their pixels say, in sentences for callers."""

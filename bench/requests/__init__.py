"""How many requests a second the API answers, beside a bare Django view that does one INSERT or SELECT."""

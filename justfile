# The commands of everyday work. CONTRIBUTING.md has each of them as a plain command.

_list:
    @just --list

# Make .venv with everything that the code and its tests use
setup:
    python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt -r tests/requirements.txt

# Style, types, layers, migrations and settings
check:
    .venv/bin/python -m pytest tests/test_code.py

# All tests, or some: just test tests/raster/cog
test *arguments:
    .venv/bin/python -m pytest {{ arguments }}

# Start the service and run both jobs of the documentation
demo *arguments:
    .venv/bin/python manage.py demo {{ arguments }}

# Measure full scenes beside other tools; some tables: just bench --only ndvi
bench *arguments:
    .venv/bin/python -m bench {{ arguments }}

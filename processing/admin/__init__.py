"""Pages for staff. Django looks here for what to register."""

from . import jobs as jobs

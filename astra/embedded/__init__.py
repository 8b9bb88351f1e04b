"""The whole service on one machine: broker, web, worker and beat as children of one command."""

"""Whether this process is being stopped, so that whoever waits for something answers its caller first."""

from threading import Event

stopping = Event()

"""Every service and a voice node on one machine, and the ``sidetone`` command."""

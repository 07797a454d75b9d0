"""One target beside the endpoint: its consent, archive, apps, hook and cleanup."""

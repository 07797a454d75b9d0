"""What the suite does with one target apart from judging it: consent, archive, apps, hook, cleanup and checks."""

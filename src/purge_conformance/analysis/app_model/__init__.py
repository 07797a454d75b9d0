"""The model of apps and their events that random sequences are compared with."""

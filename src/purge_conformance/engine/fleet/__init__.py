"""A run for each of many targets: each in a process, with an environment and a folder of its own."""

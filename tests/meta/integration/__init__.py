"""Tests that start a process: the installed command, pytest, a server, a shell."""

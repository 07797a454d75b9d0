"""The repository as a whole: its language and its structure; starts no process."""

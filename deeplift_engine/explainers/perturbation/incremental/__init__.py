"""Forward passes that follow a change alone."""

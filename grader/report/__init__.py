"""What a run leaves to read: the terminal table, Gradescope, JUnit, and the HTML page."""

"""What is going on, for people: in a browser, as one file, on the terminal."""

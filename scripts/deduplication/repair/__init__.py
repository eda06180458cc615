"""What is damaged, what that costs, and how it is made whole: the log from the archive, the archive from other copies."""

"""What a database has of a store, held against the lines of its log, and made anew from them."""

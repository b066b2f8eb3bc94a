"""A campaign's life: its file, what runs, what production asks of it, and its end."""

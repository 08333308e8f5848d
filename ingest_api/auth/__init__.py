"""Who may send and read: registered clients, their secrets and tokens, and the limits they keep."""

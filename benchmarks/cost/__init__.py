"""What an installation costs, and how it bears a storm: the real handlers around a table that counts its units."""

"""Does what the rows say. The only part that talks to Krea."""

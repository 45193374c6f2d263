"""What comes from other packages and what goes to them: files, the Hub, and stores in other formats."""

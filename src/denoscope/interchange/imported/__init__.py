"""Features that other programs saved, file by file: what each format says, and what it leaves open."""

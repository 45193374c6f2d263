"""How autoencoders learn: one loop, and what each method does in it. Needs torch."""

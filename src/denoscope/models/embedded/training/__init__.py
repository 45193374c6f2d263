"""How the embedded model is made: tokenizer, networks, the two training stages, evaluation and packaging."""

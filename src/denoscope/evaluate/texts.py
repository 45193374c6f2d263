"""What words alone are worth: the text encoder's vectors of what was said, as further blocks of activations."""

from collections.abc import Sequence

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import DenoscopeError
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.core.task import Facts
from denoscope.evaluate.latents import model_of

__all__ = ["text_blocks"]


def text_blocks(blocks: Sequence[Activations], facts: Facts, recipe: Recipe) -> tuple[list[Activations], list[str]]:
    """One vector per image of each prompt that was given, at the sites `text.last`, `text.mean` and `text.pooled`.

    Args:
        blocks: the same images in the same order under several prompts.
        facts: of each image, which prompts name.
        recipe: of the model whose text encoder it is.

    Returns:
        Blocks; and a sentence that says why there are none, where the model cannot be loaded any more.
    """
    prompts = [prompt for prompt in dict.fromkeys(block.condition.prompt for block in blocks) if prompt]
    if not prompts:
        return [], []
    from denoscope.models.textvectors import text_vectors

    try:
        model = model_of(recipe, "what words alone are worth", "text encoder")
        return [
            Activations(Site(f"text.{way}"), condition, values, blocks[0].ids, "pooled", blocks[0].frames)
            for condition in (Condition(clean=True, prompt=prompt) for prompt in prompts)
            for way, values in text_vectors(model, [condition.text_for(row) for row in facts]).items()
        ], []
    except DenoscopeError as error:
        return [], [f"No text encoder: {error}."]

"""Judges: what they are asked, what is remembered, and that one who does not answer costs nothing."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.interpret import interpret
from denoscope.interpret.asking import scored_by
from denoscope.interpret.judges import Colour, Marked, Remembered, Speaking, endpoint, local
from squares import dictionary, samples, stored


def picture(colour: tuple[int, int, int], seed: int = 0) -> Marked:
    """A square of a colour, marked, on grey noise."""
    image = np.random.default_rng(seed).integers(100, 150, (16, 16, 3)).astype(np.uint8)
    image[4:8, 4:8] = colour
    mask = np.zeros((16, 16))
    mask[4:8, 4:8] = 1
    return Marked(image, mask)


class Counted:
    """A judge that counts how often it is asked, and fails when told to."""

    name = "counted"

    def __init__(self) -> None:
        self.asked, self.fails = 0, False

    def explain(self, pictures) -> str:
        """How many there are."""
        self._ask()
        return f"{len(pictures)} pictures"

    def score(self, picture, text) -> float:
        """A quarter."""
        self._ask()
        return 0.25

    def _ask(self) -> None:
        if self.fails:
            raise InputError("the judge is away")
        self.asked += 1


def test_the_colour_judge_sees_what_is_marked_and_nothing_else() -> None:
    """A red square under the mark; the grey around it does not count."""
    judge = Colour()
    assert judge.explain([picture((210, 20, 20)), picture((190, 40, 30), 1)]) == "red"
    assert judge.score(picture((200, 30, 30)), "red") == 1
    moved = picture((200, 30, 30))
    assert judge.score(Marked(moved.picture, np.roll(moved.mask, 8, 0)), "red") == 0


def test_marks_are_laid_over_the_picture_where_they_are() -> None:
    """Unmarked pixels stay as they were."""
    shown = picture((10, 10, 200))
    assert (shown.overlaid[0] == shown.picture[0]).all()
    assert shown.overlaid[5, 5, 0] > shown.picture[5, 5, 0] + 50


def test_answers_are_asked_once_and_survive_a_failure(tmp_path) -> None:
    """By pictures, marks and text; a new judge with the same name and folder asks nothing again."""
    inner = Counted()
    judge = Remembered(inner, tmp_path)
    one, other = picture((200, 0, 0)), picture((0, 0, 200))
    assert [judge.score(one, "red"), judge.score(one, "red"), judge.score(one, "blue")] == [0.25] * 3
    assert inner.asked == 2
    judge.score(other, "red")
    judge.score(Marked(one.picture, one.mask * 0.5), "red")
    assert inner.asked == 4
    fresh = Counted()
    fresh.fails = True
    assert Remembered(fresh, tmp_path).score(one, "red") == 0.25
    with pytest.raises(InputError, match="away"):
        Remembered(fresh, tmp_path).score(one, "green")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".json"]


@pytest.mark.parametrize(("answer", "told"), [("0.8", 0.8), ("Score: 1.", 1.0), ("7", 1.0), (".25 of it", 0.25)])
def test_the_first_number_of_an_answer_counts(answer, told) -> None:
    """Cut to 0 ... 1."""
    assert Speaking(lambda question, pictures: answer, "m").score(picture((0, 0, 0)), "x") == told


def test_an_answer_without_a_number_is_left_out_and_many_are_told() -> None:
    """One of four costs itself alone; where most say nothing, the line says so."""
    answers = iter(["0.2", "perhaps", "0.4", "0.6"])
    judge = Speaking(lambda question, pictures: next(answers), "m")
    assert scored_by(judge, [picture((0, 0, 0))] * 4, "x").tolist() == pytest.approx([0.2, 0.4, 0.4, 0.6])
    mute = Speaking(lambda question, pictures: "perhaps", "m")
    with pytest.raises(InputError, match="no number for 3 of 3"):
        scored_by(mute, [picture((0, 0, 0))] * 3, "x")


def tiny_speaker(folder: Path) -> None:
    """A vision-language model with weights by chance, one token per letter."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )

    known = ["<pad>", "<s>", "</s>", "<unk>", "<image>", *map(chr, range(32, 127))]
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(known)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")  # pyright: ignore[reportAttributeAccessIssue]
    letters = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>",
                                      unk_token="<unk>", extra_special_tokens={"image_token": "<image>"})  # fmt: skip
    small: dict = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = CLIPVisionConfig(**small, image_size=16, patch_size=8)
    text = LlamaConfig(**small, vocab_size=len(known), num_key_value_heads=2, max_position_embeddings=1024)
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=4, vision_feature_layer=-1)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    turns = "{% for m in messages %}{% for c in m['content'] %}{{ '<image>' if c['type'] == 'image' else c['text'] }}"
    LlavaProcessor(CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}), letters,
                   patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
                   chat_template=turns + "{% endfor %}{% endfor %}").save_pretrained(folder)  # fmt: skip


def test_a_local_model_is_asked_with_pictures(tmp_path) -> None:
    """It says the same twice, of one picture and of several; what it says is noise. Nothing else is taken for one."""
    tiny_speaker(tmp_path)
    judge = local(str(tmp_path))
    several = [picture((200, 0, 0)), picture((0, 0, 200), 1)]
    assert judge.explain(several) == judge.explain(several) and isinstance(judge.explain(several[:1]), str)
    told = judge.score(several[0], "red")
    assert np.isnan(told) or 0 <= told <= 1
    with pytest.raises(InputError, match="no vision-language model can be loaded") as caught:
        local(str(tmp_path / "nothing"))
    assert "\n" not in str(caught.value)


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict]]]:
    """An endpoint of one's own that says 503 once and then 0.5."""
    seen: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """One answer."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
            self.send_response(503 if len(seen) == 1 else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"choices": [{"message": {"content": "0.5"}}]}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    made = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/v1", seen
    made.shutdown()
    made.server_close()


def test_an_endpoint_is_asked_in_the_common_form_and_again_after_a_busy_answer(server, monkeypatch) -> None:
    """One picture as a data address, the key from the environment, temperature 0."""
    url, seen = server
    monkeypatch.setenv("SOME_KEY", "secret")
    judge = endpoint(url, "a-model", key="SOME_KEY")
    assert judge.score(picture((200, 0, 0)), "red things") == 0.5
    assert "secret" not in repr(judge)
    assert [row["path"] for row in seen] == ["/v1/chat/completions"] * 2
    text, shown = seen[1]["messages"][0]["content"]
    assert (seen[1]["model"], seen[1]["key"], seen[1]["temperature"]) == ("a-model", "Bearer secret", 0)
    assert "red things" in text["text"]
    assert shown["image_url"]["url"].startswith("data:image/png;base64,")


def test_an_endpoint_that_is_not_there_is_one_line() -> None:
    """And an address of another kind is refused before anything is asked."""
    with pytest.raises(InputError, match=r"gave no answer.*kept"):
        endpoint("http://127.0.0.1:9/v1", "m", tries=1, seconds=2).score(picture((0, 0, 0)), "x")
    with pytest.raises(InputError, match="http"):
        endpoint("file:///etc/passwd", "m")


def test_a_judge_tells_planted_atoms_by_colour_and_controls_fall(tmp_path) -> None:
    """Red cats, blue buses, green trees: own marks score, moved marks and other texts do not; a judge that is away
    leaves the rest of the report as it is."""
    store = stored(Path(tmp_path) / "s", 3.0)
    found = interpret(store, dictionary(), data=samples(), looked=6, asked=12, judge=Colour(), save=False)
    words = found.table["judge's words"][:3]
    assert words == ["red", "blue", "green"]
    assert min(found.table["judge, own"][:3]) == 1
    assert max(found.table["judge, moved"][:3]) < 0.3
    assert found["judge, own and other images"].n == 12
    away = Counted()
    away.fails = True
    kept = interpret(store, dictionary(), data=samples(), looked=6, judge=away, save=False)
    assert "Without a judge: the judge is away" in kept.notes[-1]
    assert kept.table["word"][:3] == ["cat", "bus", "tree"]
